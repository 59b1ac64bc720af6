import { AgentDesk, HairpinClient, openMedia } from '@hairpin/client'

/** Takes every customer's call as the agent of a token, and plays the customer's voice. */
export function takeCustomersCalls(url: string, getToken: () => Promise<string>, audio: HTMLAudioElement): AgentDesk {
  const client = new HairpinClient({ url, getToken })
  const desk = new AgentDesk(client)
  desk.on('incoming', async (call) => {
    const { stream } = await openMedia(navigator.mediaDevices, { audio: true })
    await call.take(stream)
  })
  desk.on('call', (call) => {
    call.on('state', (state) => console.log(call.caller.number, state))
    call.on('remote-stream', (remote) => {
      audio.srcObject = remote
    })
    call.on('ended', ({ reason, text }) => console.log(reason, text))
  })
  desk.on('restored', async (call) => {
    const { stream } = await openMedia(navigator.mediaDevices, { audio: true })
    await call.rejoin(stream)
  })
  desk.setAvailable(true)
  if (!client.restore()) client.join()
  return desk
}
