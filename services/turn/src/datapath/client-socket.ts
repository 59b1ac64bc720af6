import type { Socket } from 'node:dgram'
import type { Endpoint, Listener } from '../core/index.ts'
import { MAX_QUEUED, Outlet } from './outlet.ts'

/** Header buffers, used in turn: a queued datagram keeps its header by reference until it has gone out. */
const HEADERS = 2 * MAX_QUEUED

/** A listening socket as the data path uses it. */
export class ClientSocket extends Outlet {
  readonly listener: Listener
  readonly #headers: readonly Buffer[]

  constructor(listener: Listener, socket: Socket) {
    super(socket)
    this.listener = listener
    const slab = Buffer.alloc(HEADERS * 4)
    this.#headers = Array.from({ length: HEADERS }, (_, i) => slab.subarray(i * 4, i * 4 + 4))
  }

  /** ChannelData without padding, which UDP does not need (RFC 8656 section 12.5). The payload is not copied. */
  sendChannelData(channel: number, payload: Buffer, to: Endpoint): boolean {
    if (!this.hasRoom()) return false
    const header = this.#headers[this.turn % HEADERS]!
    header[0] = channel >> 8
    header[1] = channel
    header[2] = payload.length >> 8
    header[3] = payload.length
    this.socket.send([header, payload], to.port, to.address)
    return true
  }
}
