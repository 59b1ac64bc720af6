/** Requests built by hand, signed or not, for what a well-behaved client would never send. */
import {
  Attribute,
  Class,
  decodeErrorCode,
  type Endpoint,
  encodeText,
  encodeXorAddress,
  longTermKey,
  type Message,
  MessageWriter,
  Method,
} from '@hairpin/stun'
import type { Listener } from '../../src/core/index.ts'
import { ALICE, datagram, parsed, perform, REALM, UDP, type World } from './world.ts'

export type Pair = readonly [type: number, value: Uint8Array]

export interface RawOptions {
  readonly from?: Endpoint
  readonly listener?: Listener
  readonly username?: string
  readonly password?: string
  readonly nonce?: Uint8Array
  readonly id?: Uint8Array
  readonly fingerprint?: boolean
}

export const UDP_TRANSPORT: Pair = [Attribute.RequestedTransport, Uint8Array.of(17, 0, 0, 0)]

export function nonceFor(world: World, from: Endpoint = ALICE): Uint8Array {
  const bytes = new MessageWriter(Method.Allocate, Class.Request, world.randomBytes(12))
    .attribute(...UDP_TRANSPORT)
    .finish()
  const { sent } = perform(world, world.server.receive(bytes, UDP, from, world.clock.now))
  return parsed(sent[0]!.bytes).get(Attribute.Nonce)!
}

export function keyFor(options: RawOptions): Uint8Array {
  return longTermKey(options.username ?? 'alice', REALM, options.password ?? 'secret')
}

export function signed(
  world: World,
  method: number,
  attributes: readonly Pair[],
  options: RawOptions = {},
): Uint8Array {
  const writer = new MessageWriter(method, Class.Request, options.id ?? world.randomBytes(12))
  for (const [type, value] of attributes) writer.attribute(type, value)
  writer
    .attribute(Attribute.Username, encodeText(options.username ?? 'alice'))
    .attribute(Attribute.Realm, encodeText(REALM))
    .attribute(Attribute.Nonce, options.nonce ?? nonceFor(world, options.from))
    .integrity(keyFor(options))
  if (options.fingerprint) writer.fingerprint()
  return writer.finish()
}

export function deliver(world: World, bytes: Uint8Array, options: RawOptions = {}) {
  const { from = ALICE, listener = UDP } = options
  return perform(world, world.server.receive(datagram(bytes), listener, from, world.clock.now))
}

/** Sends a signed request and returns its one answer. */
export function ask(world: World, method: number, attributes: readonly Pair[], options: RawOptions = {}): Message {
  const { sent } = deliver(world, signed(world, method, attributes, options), options)
  if (sent.length !== 1) throw new Error(`${sent.length} answers`)
  return parsed(sent[0]!.bytes)
}

/** 200 or the error code. */
export function codeOf(message: Message): number {
  if (message.class === Class.Success) return 200
  return decodeErrorCode(message.get(Attribute.ErrorCode)!)!.code
}

export function askCode(world: World, method: number, attributes: readonly Pair[], options: RawOptions = {}): number {
  return codeOf(ask(world, method, attributes, options))
}

/** XOR-PEER-ADDRESS under a fixed transaction id, for which `options.id` must be the same. */
export const FIXED_ID = Uint8Array.from({ length: 12 }, (_, i) => 200 + i)
export function peerAddress(peer: { address: string; port: number }): Pair {
  return [Attribute.XorPeerAddress, encodeXorAddress(peer, FIXED_ID)]
}
