import { type Call, type HairpinClient, openMedia } from '@hairpin/client'

/** Calls somebody and shows the other side's picture. */
export async function callSomebody(client: HairpinClient, name: string, video: HTMLVideoElement): Promise<Call> {
  const { stream } = await openMedia(navigator.mediaDevices)
  const call = client.call(name, stream)
  call.on('state', (state) => console.log(state))
  call.on('remote-stream', (remote) => {
    video.srcObject = remote
  })
  call.on('ended', ({ reason, by }) => console.log(`ended by the ${by} side: ${reason}`))
  call.stats.on('update', ({ pair, bitrateIn }) => console.log(pair?.kind, bitrateIn))
  return call
}
