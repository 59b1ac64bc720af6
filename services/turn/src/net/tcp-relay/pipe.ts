/**
 * Two streams joined into one. Data that one gives goes to the other as it is, and only as fast as that takes it: while one
 * end does not read, the other is not read from, and TCP tells its sender (RFC 6062 section 5.2: "The server adjusts its
 * advertised TCP receive window to reflect the amount of empty buffer space"). A limit of bandwidth halts it the same way.
 */
import type { Duplex } from 'node:stream'

/** Milliseconds between looks whether a halted direction may go on. */
const RETRY = 20
/** Milliseconds that a half-closed pair may be silent. */
const HALF_CLOSED = 60_000

/** Asked for each chunk. */
export interface Gate {
  /** Whether so many bytes may pass. `later`: they wait, and are asked about again; `never`: both ends are closed. */
  admit(bytes: number): 'now' | 'later' | 'never'
  /** They were given to the other end. */
  passed(bytes: number): void
}

export class Pipe {
  readonly #ends: readonly [Duplex, Duplex]
  readonly #closed: () => void
  #open = 2
  #silence: NodeJS.Timeout | undefined

  /** @param closed is called once, when both are closed */
  constructor(a: Duplex, b: Duplex, gates: { readonly toA?: Gate; readonly toB?: Gate }, closed: () => void) {
    this.#ends = [a, b]
    this.#closed = closed
    this.#forward(a, b, gates.toB)
    this.#forward(b, a, gates.toA)
  }

  /** Closes both at once. */
  destroy(): void {
    for (const end of this.#ends) end.destroy()
  }

  #forward(from: Duplex, to: Duplex, gate: Gate | undefined): void {
    let halted: NodeJS.Timeout | undefined
    let over = false
    const pass = (chunk: Buffer) => {
      halted = undefined
      if (to.destroyed) return
      const verdict = gate?.admit(chunk.length) ?? 'now'
      if (verdict === 'never') {
        this.destroy()
      } else if (verdict === 'later') {
        from.pause()
        halted = setTimeout(pass, RETRY, chunk)
      } else {
        gate?.passed(chunk.length)
        this.#silence?.refresh()
        if (to.write(chunk)) from.resume()
        else from.pause()
        if (over) to.end()
      }
    }
    from.on('data', pass)
    to.on('drain', () => {
      if (halted === undefined) from.resume()
    })
    // A socket tells its end although it is halted. Half-closed, the other direction goes on as long as it has something to say.
    from.on('end', () => {
      over = true
      if (halted === undefined) to.end()
      this.#silence ??= setTimeout(() => this.destroy(), HALF_CLOSED)
    })
    from.on('error', () => to.destroy())
    from.on('close', () => {
      // It broke off, or takes no more: what the other end still says would go nowhere.
      if (!from.readableEnded || !from.writableFinished) to.destroy()
      if (--this.#open > 0) return
      clearTimeout(this.#silence)
      this.#closed()
    })
    from.resume()
  }
}
