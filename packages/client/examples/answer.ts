import { HairpinClient, openMedia } from '@hairpin/client'

/** Joins as the user of a token and takes every call. */
export function answerCalls(url: string, getToken: () => Promise<string>): HairpinClient {
  const client = new HairpinClient({ url, getToken })
  client.on('incoming', async (call) => {
    const { stream } = await openMedia(navigator.mediaDevices)
    await call.accept(stream)
  })
  client.join()
  return client
}
