/**
 * What reads bytes of the network without any state of the server: codec, client, stream framer, PROXY header. An input
 * must not make them throw, and a stream must fall into the same frames however it is cut into chunks.
 */
import {
  Attribute,
  checkFingerprint,
  checkIntegrity,
  checkIntegritySha256,
  decodeAddress,
  decodeAddressErrorCode,
  decodeAddressFamily,
  decodeChannelData,
  decodeChannelNumber,
  decodeErrorCode,
  decodeEvenPort,
  decodeIcmp,
  decodeLifetime,
  decodeNonceFeatures,
  decodePasswordAlgorithms,
  decodeRequestedTransport,
  decodeReservationToken,
  decodeText,
  decodeUnknownAttributes,
  decodeXorAddress,
  frameLength,
  parseMessage,
  TurnClient,
} from '@hairpin/stun'
import { StreamFramer } from '../../services/turn/src/net/streams/framer.ts'
import { readProxyHeader } from '../../services/turn/src/net/streams/proxy-protocol.ts'
import { seededBytes } from '../../services/turn/test/core/world.ts'
import type { Random } from './mutate.ts'

/** Inputs that make up one stream. */
const STREAM = 4
const FRAME_LIMIT = 4096
const KEY = new Uint8Array(16)

const DECODERS: readonly ((value: Uint8Array, transactionId: Uint8Array) => unknown)[] = [
  decodeXorAddress,
  decodeAddress,
  decodeAddressErrorCode,
  decodeAddressFamily,
  decodeChannelNumber,
  decodeErrorCode,
  decodeEvenPort,
  decodeIcmp,
  decodeLifetime,
  decodePasswordAlgorithms,
  decodeRequestedTransport,
  decodeReservationToken,
  decodeUnknownAttributes,
  (value) => decodeNonceFeatures(decodeText(value) ?? ''),
]
const TYPES = Object.values(Attribute)

export class Readers {
  readonly #random: Random
  readonly #client = new TurnClient({ username: 'a', password: 'b', sha256: true, randomBytes: seededBytes('fuzz') })
  readonly #stream: Uint8Array[] = []
  #now = 0

  constructor(random: Random) {
    this.#random = random
    this.#client.allocate(0)
  }

  /** @throws Error when a stream falls apart differently in one piece and in chunks. */
  read(input: Uint8Array): void {
    const bytes = Buffer.from(input)
    frameLength(bytes)
    decodeChannelData(bytes)
    readProxyHeader(bytes)
    this.#client.receive(bytes, this.#now++)
    this.#attributes(bytes)
    this.#stream.push(bytes)
    if (this.#stream.length < STREAM) return
    this.#frames(Buffer.concat(this.#stream.splice(0)))
  }

  #attributes(bytes: Uint8Array): void {
    const parsed = parseMessage(bytes)
    if (!parsed.ok) return
    const { message } = parsed
    checkFingerprint(message)
    checkIntegrity(message, KEY)
    checkIntegritySha256(message, KEY)
    const value = message.get(TYPES[this.#random(TYPES.length)]!)
    if (value) for (const decode of DECODERS) decode(value, message.transactionId)
  }

  #frames(stream: Buffer): void {
    const whole = framesOf([stream])
    const chunks: Buffer[] = []
    for (let at = 0; at < stream.length; ) {
      const size = 1 + this.#random(this.#random(2) === 0 ? 4 : 200)
      chunks.push(stream.subarray(at, at + size))
      at += size
    }
    const cut = framesOf(chunks)
    if (whole.join() !== cut.join()) throw new Error(`frames of ${whole.join()} bytes, but in chunks ${cut.join()}`)
  }
}

/** Lengths of the frames; -1 at the end of a stream that is broken off. */
function framesOf(chunks: readonly Buffer[]): number[] {
  const framer = new StreamFramer(FRAME_LIMIT)
  const lengths: number[] = []
  for (const chunk of chunks) {
    const sound = framer.push(chunk, (frame) => {
      lengths.push(frame.length)
      return true
    })
    if (!sound) return [...lengths, -1]
  }
  return lengths
}
