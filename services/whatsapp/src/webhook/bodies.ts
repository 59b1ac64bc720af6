/** Gathers the bodies of requests whose signature cannot be checked before their last byte: so many bytes at once, whoever sends them. */
import type { Readable } from 'node:stream'
import { HttpError } from '@hairpin/http'
import { errorCodes } from 'fastify'

export interface BodiesOptions {
  /** Bytes of one body. */
  readonly most: number
  /** Bytes of memory for all that are not complete. */
  readonly atOnce: number
}

/** Bytes that a piece takes beside its own: somebody may send one byte at a time. */
const PIECE = 256

interface Held {
  /** Of the body. */
  bytes: number
  /** Of memory. */
  cost: number
  readonly refuse: () => void
}

/**
 * When there is no room, the largest body goes, for whoever wants to fill the memory needs large ones: news of a call finds
 * its way between them. A large one of Meta's that had to go comes again.
 */
export class Bodies {
  readonly #options: BodiesOptions
  readonly #held = new Set<Held>()
  #bytes = 0

  constructor(options: BodiesOptions) {
    this.#options = options
  }

  /** Bytes of memory for bodies that are not complete. */
  get bytes(): number {
    return this.#bytes
  }

  /** @throws HttpError 503 when it had to go; 413 */
  read(stream: Readable): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const chunks: Buffer[] = []
    const done = (act: () => void) => {
      if (!this.#held.delete(held)) return
      this.#bytes -= held.cost
      stream.off('data', take)
      act()
      chunks.length = 0
    }
    const fail = (error: Error) =>
      done(() => {
        // The rest passes by until the answer is out, which is the last one of this connection.
        stream.resume()
        reject(error)
      })
    const held: Held = { bytes: 0, cost: 0, refuse: () => fail(noRoom()) }
    const take = (chunk: Buffer) => {
      held.bytes += chunk.length
      held.cost += chunk.length + PIECE
      this.#bytes += chunk.length + PIECE
      chunks.push(chunk)
      if (held.bytes > this.#options.most) fail(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
      else if (this.#bytes > this.#options.atOnce) this.#largest()?.refuse()
    }
    this.#held.add(held)
    stream.on('data', take)
    stream.once('end', () => done(() => resolve(Buffer.concat(chunks))))
    stream.once('error', fail)
    stream.once('close', () => fail(new Error('the connection is gone')))
    return promise
  }

  #largest(): Held | undefined {
    let largest: Held | undefined
    for (const held of this.#held) if (largest === undefined || held.cost > largest.cost) largest = held
    return largest
  }
}

function noRoom(): HttpError {
  return new HttpError(503, 'WHATSAPP_BODIES', 'Too many large bodies come at once; deliver this one again.', {
    'retry-after': '5',
    connection: 'close',
  })
}
