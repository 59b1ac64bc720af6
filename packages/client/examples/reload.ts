import { type HairpinClient, openMedia } from '@hairpin/client'

/** At the start of a page: goes on with the call of the page before, if there was one. */
export function goOn(client: HairpinClient, joinForm: () => void): void {
  client.on('restored', async (call) => {
    const { stream } = await openMedia(navigator.mediaDevices)
    await call.rejoin(stream)
  })
  if (!client.restore()) joinForm()
}
