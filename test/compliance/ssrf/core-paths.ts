/** Every way through which the core may be asked to let a client and a peer talk. */
import { Attribute, Class, encodeXorAddress, MessageWriter, Method } from '@hairpin/stun'
import type { Listener } from '../../../services/turn/src/core/index.ts'
import {
  askCode,
  codeOf,
  deliver,
  FIXED_ID,
  type Pair,
  peerAddress,
  signed,
} from '../../../services/turn/test/core/raw.ts'
import { createPeer, parsed, perform, type World } from '../../../services/turn/test/core/world.ts'

export interface Target {
  readonly address: string
  readonly port: number
  readonly family: 4 | 6
}
type Client = ReturnType<typeof createPeer>

export interface CorePath {
  readonly name: string
  /** What kind of relayed address the client has: one of TCP (RFC 6062) is only given to clients over streams. */
  readonly relay: 'udp' | 'tcp'
  /** Whether anything was opened to the peer, or from it. */
  readonly reaches: (world: World, client: Client, target: Target) => boolean
}

const UDP_PATHS: readonly Omit<CorePath, 'relay'>[] = [
  {
    name: 'CreatePermission',
    reaches: (world, client, target) => ask(world, client, Method.CreatePermission, [peerAddress(target)]) !== 403,
  },
  {
    name: 'CreatePermission beside a peer that is allowed',
    reaches: (world, client, target) => {
      const innocent = { address: target.family === 4 ? '9.9.9.9' : '2620:fe::fe', port: 9 }
      return ask(world, client, Method.CreatePermission, [peerAddress(innocent), peerAddress(target)]) !== 403
    },
  },
  {
    name: 'ChannelBind',
    reaches: (world, client, target) => {
      const number: Pair = [Attribute.ChannelNumber, Uint8Array.of(0x40, 1, 0, 0)]
      return ask(world, client, Method.ChannelBind, [number, peerAddress(target)]) !== 403
    },
  },
  {
    name: 'Send',
    reaches: (world, client, target) => {
      ask(world, client, Method.CreatePermission, [peerAddress(target)])
      const bytes = new MessageWriter(Method.Send, Class.Indication, FIXED_ID)
        .attribute(Attribute.XorPeerAddress, encodeXorAddress(target, FIXED_ID))
        .attribute(Attribute.Data, Buffer.from('x'))
        .finish()
      const { listener, from } = client.place
      const { other } = perform(world, world.server.receive(bytes, listener, from, world.clock.now))
      return other.some(({ type }) => type === 'relay')
    },
  },
  {
    name: 'a datagram of the peer',
    reaches: (world, client, target) => {
      ask(world, client, Method.CreatePermission, [peerAddress(target)])
      const allocation = client.allocation()!
      const channel = allocation.channelFor(target.address, target.port)
      return channel !== undefined || allocation.permitted(target.address, target.port, world.clock.now)
    },
  },
]

const TCP_PATHS: readonly Omit<CorePath, 'relay'>[] = [
  {
    name: 'Connect',
    reaches: (world, client, target) => {
      const id = world.randomBytes(12)
      const peer: Pair = [Attribute.XorPeerAddress, encodeXorAddress(target, id)]
      const { listener, from } = client.place
      const options = { listener, from, id }
      const { other, sent } = deliver(world, signed(world, Method.Connect, [peer], options), options)
      const connecting = other.some(({ type }) => type === 'connectPeer')
      if (!connecting && codeOf(parsed(sent[0]!.bytes)) !== 403) throw new Error('neither connected nor forbidden')
      return connecting
    },
  },
  {
    name: 'a connection of the peer',
    reaches: (world, client, target) => {
      ask(world, client, Method.CreatePermission, [peerAddress(target)])
      return world.server.peerArrived(client.allocation()!, target, world.clock.now).connection !== undefined
    },
  },
]

export const CORE_PATHS: readonly CorePath[] = [
  ...UDP_PATHS.map((path) => ({ ...path, relay: 'udp' as const })),
  ...TCP_PATHS.map((path) => ({ ...path, relay: 'tcp' as const })),
]

/** A client with an allocation; undefined where it gets none. */
export function clientOf(
  world: World,
  listener: Listener,
  family: 4 | 6,
  relay: 'udp' | 'tcp',
  port: number,
): Client | undefined {
  const from = { address: '192.0.2.7', port, family: 4 } as const
  const client = createPeer(world, from, { family, ...(relay === 'tcp' && { requestedTransport: 6 }) }, listener)
  client.allocate()
  return client.allocation() && client
}

function ask(world: World, client: Client, method: number, pairs: readonly Pair[]): number {
  const { from, listener } = client.place
  return askCode(world, method, pairs, { from, listener, id: FIXED_ID })
}
