/** Clients that connect and join, and clients that connect calls. */
import type { Running } from '../contenders/contender.ts'
import { Client } from './client.ts'
import type { Who } from './people.ts'

/** Joins under way at a time. */
const AT_ONCE = 64
/** Those who come one after the other are no neighbours: the lists of an app change while others come. */
const STRIDE = 7_919

/** One that has joined. @throws when the server does not let it in */
export async function join({ site, contender: { dialect } }: Running, who: Who): Promise<Client> {
  const client = new Client(site.address, site.port, dialect.path(who))
  client.acking = dialect.acking
  const joined = client.expect(dialect.joined)
  const text = dialect.join(who)
  // The server may read it before it has answered the upgrade: TCP keeps the order.
  if (text !== undefined) client.send(text)
  await joined
  return client
}

/** All of them, in the order of `whos`. When one fails, all are ended. */
export async function joinAll(running: Running, whos: readonly Who[]): Promise<Client[]> {
  const clients: Client[] = []
  let turn = 0
  const worker = async () => {
    while (turn < whos.length) {
      const i = (turn++ * STRIDE) % whos.length
      clients[i] = await join(running, whos[i]!)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  } catch (error) {
    turn = whos.length
    for (const client of clients) client?.end()
    throw error
  }
  return clients
}

export interface Party {
  readonly who: Who
  readonly client: Client
}

/** Connects a call, where the server knows calls. */
export async function call({ contender: { dialect } }: Running, caller: Party, callee: Party): Promise<void> {
  for (const { from, text, part } of dialect.call(caller.who, callee.who)) {
    const [speaker, hearer] = from === 'caller' ? [caller, callee] : [callee, caller]
    const heard = hearer.client.expect(part)
    speaker.client.send(text)
    await heard
  }
}
