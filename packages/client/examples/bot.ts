import { HairpinClient } from '@hairpin/client'

/** Answers texts; runs in Node as it is. Calls there need a `createPeer`, of a package that brings WebRTC to Node. */
export function echo(url: string, name: string): HairpinClient {
  const client = new HairpinClient({ url })
  client.on('text', ({ name: from, text, target }) => {
    if (target === client.name && from !== client.name) client.sendText(`You said: ${text}`, from)
  })
  client.join(name)
  return client
}
