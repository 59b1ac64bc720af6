/** Allocations of one contender, ready to carry traffic, and the plans that drive it. */
import {
  Attribute,
  CHANNEL_HEADER_LENGTH,
  Class,
  encodeXorAddress,
  MAGIC_COOKIE,
  MessageWriter,
  Method,
  writeChannelHeader,
} from '@hairpin/stun'
import { clientAddress, peerAddress, type Site } from '../contenders/contender.ts'
import type { Address, End, Plan } from './plan.ts'
import { CHANNEL, TurnClient } from './turn-client.ts'

export interface Flow {
  readonly client: TurnClient
  readonly peer: Address
  readonly relayed: Address
}

/** Ports of ends without an allocation. */
const FIRST_PORT = 2_000
/** A five-tuple is used again as late as possible: coturn answers 437 while it still clears the last allocation away. */
const PORTS = { min: 10_000, max: 65_000 } as const
let nextPort: number = PORTS.min

function takePorts(count: number): number {
  if (nextPort + count > PORTS.max) nextPort = PORTS.min
  const first = nextPort
  nextPort += count
  return first
}

const CONCURRENCY = 32

/**
 * Sets up `count` allocations, each with a permission (and a channel) for a peer of its own, `CONCURRENCY` at a time.
 * Rejects at the first that fails.
 */
export async function setUp(site: Site, count: number, via: 'channel' | 'indication'): Promise<Flow[]> {
  const firstPort = takePorts(count)
  const clients = Array.from(
    { length: count },
    (_, i) => new TurnClient({ address: clientAddress, port: firstPort + i }, site, site.credentials),
  )
  try {
    await Promise.all(clients.map((client) => client.open()))
    return await pooled(clients, CONCURRENCY, async (client, i) => {
      const peer = { address: peerAddress, port: firstPort + i }
      const relayed = await client.allocate()
      await client.permit(peer)
      if (via === 'channel') await client.bindChannel(peer)
      return { client, peer, relayed }
    })
  } catch (error) {
    await Promise.all(clients.map((client) => client.release()))
    throw error
  }
}

/** Deletes the allocations and closes the sockets. What the server has lost already does not matter here. */
export async function tearDown(flows: readonly Flow[]): Promise<void> {
  await pooled(flows, CONCURRENCY, async ({ client }) => {
    await client.deallocate().catch(() => {})
    await client.release()
  })
}

/** Between set-up and tear-down the data phase owns the ports. */
export const lendPorts = (flows: readonly Flow[]) => Promise.all(flows.map(({ client }) => client.release()))
export const takePortsBack = (flows: readonly Flow[]) => Promise.all(flows.map(({ client }) => client.open()))

/** Both directions of every allocation. */
export function relayEnds(site: Site, flows: readonly Flow[], via: 'channel' | 'indication', payload: number): End[] {
  return flows.flatMap(({ client, peer, relayed }, i): End[] => [
    {
      bind: client.local,
      to: site,
      prefix: via === 'channel' ? channelHeader(payload) : sendIndication(peer, payload),
      expect: via === 'channel' ? 'channel' : 'data',
      sink: 2 * i + 1,
    },
    { bind: peer, to: relayed, prefix: new Uint8Array(), expect: 'bare', sink: 2 * i },
  ])
}

/** The same packets between the same sockets without a relay: what generator and kernel cost by themselves. */
export function directEnds(count: number, payload: number): End[] {
  return Array.from({ length: count }, (_, i): End[] => {
    const client = { address: clientAddress, port: FIRST_PORT + i }
    const peer = { address: peerAddress, port: FIRST_PORT + i }
    const prefix = channelHeader(payload)
    return [
      { bind: client, to: peer, prefix, expect: 'channel', sink: 2 * i + 1 },
      { bind: peer, to: client, prefix, expect: 'channel', sink: 2 * i },
    ]
  }).flat()
}

/** Binding requests: the stamp is the transaction id, so each end hears its own answers. */
export function bindingEnds(site: Site, count: number): End[] {
  const prefix = new Uint8Array(8)
  prefix[1] = Method.Binding
  new DataView(prefix.buffer).setUint32(4, MAGIC_COOKIE)
  return Array.from({ length: count }, (_, i) => ({
    bind: { address: clientAddress, port: FIRST_PORT + i },
    to: site,
    prefix,
    expect: 'binding' as const,
    sink: i,
  }))
}

export type Timing = Omit<Plan, 'ends'>

function channelHeader(payload: number): Uint8Array {
  const header = new Uint8Array(CHANNEL_HEADER_LENGTH)
  writeChannelHeader(header, CHANNEL, payload)
  return header
}

/** A Send indication up to and including the header of its DATA attribute; indications may share a transaction id. */
function sendIndication(peer: Address, payload: number): Uint8Array {
  const id = new Uint8Array(12)
  const whole = new MessageWriter(Method.Send, Class.Indication, id, 2_048)
    .attribute(Attribute.XorPeerAddress, encodeXorAddress(peer, id))
    .attribute(Attribute.Data, new Uint8Array(payload))
    .finish()
  return whole.slice(0, whole.length - ((payload + 3) & ~3))
}

/** `work` on every item, at most `limit` at once; results in the order of the items. */
export async function pooled<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const lane = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index]!, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  return results
}
