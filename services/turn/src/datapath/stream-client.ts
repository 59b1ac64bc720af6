/**
 * A client's TCP or TLS connection as a way out. The policy for a client that reads more slowly than its peers send:
 * while more than `STREAM_LIMITS.data` bytes wait for it, new relayed datagrams are dropped, the newest first, as a full
 * router queue does; answers to its requests have a little more room. Nothing waits without bound.
 */
import { CHANNEL_HEADER_LENGTH, writeChannelHeader } from '@hairpin/stun'
import type { DropReason } from '../core/index.ts'

/** Bytes that may wait in this process for one client, the kernel's own send buffer not counted. */
export const STREAM_LIMITS = {
  /** Beyond it relayed data is dropped. */
  data: 256 * 1024,
  /** Beyond it answers are dropped too. */
  control: 320 * 1024,
  /** The same for a client without an allocation. */
  stranger: 16 * 1024,
} as const

/** What the data path needs of a `node:net` or `node:tls` socket. */
export interface ByteSink {
  readonly writableLength: number
  readonly destroyed: boolean
  write(bytes: Uint8Array): boolean
}

export class StreamClient {
  readonly #sink: ByteSink
  #established = false

  constructor(sink: ByteSink) {
    this.#sink = sink
  }

  /** Whether the connection has an allocation. */
  get established(): boolean {
    return this.#established
  }

  /** Bytes that wait for the client to read. */
  get queued(): number {
    return this.#sink.writableLength
  }

  /** Its allocation has a relayed transport address. */
  allocated(): void {
    this.#established = true
  }

  /** Its allocation ended. */
  released(): void {
    this.#established = false
  }

  /** ChannelData with its padding (RFC 8656 section 12.5). */
  sendChannelData(channel: number, payload: Uint8Array): DropReason | undefined {
    const sink = this.#sink
    if (sink.destroyed) return 'send-failed'
    if (sink.writableLength > STREAM_LIMITS.data) return 'backpressure'
    const end = CHANNEL_HEADER_LENGTH + payload.length
    const bytes = Buffer.allocUnsafe((end + 3) & ~3)
    writeChannelHeader(bytes, channel, payload.length)
    bytes.set(payload, CHANNEL_HEADER_LENGTH)
    bytes.fill(0, end)
    sink.write(bytes)
    return undefined
  }

  /** A Data indication. */
  sendData(bytes: Uint8Array): DropReason | undefined {
    return this.#write(bytes, STREAM_LIMITS.data)
  }

  /** The answer to a request. */
  sendReply(bytes: Uint8Array): DropReason | undefined {
    return this.#write(bytes, this.#established ? STREAM_LIMITS.control : STREAM_LIMITS.stranger)
  }

  #write(bytes: Uint8Array, limit: number): DropReason | undefined {
    const sink = this.#sink
    if (sink.destroyed) return 'send-failed'
    if (sink.writableLength > limit) return 'backpressure'
    sink.write(bytes)
    return undefined
  }
}
