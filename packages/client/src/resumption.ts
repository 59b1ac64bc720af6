/** What of it outlives the page. */
export interface SavedResumption {
  readonly token: string
  readonly graceMs: number
  readonly seq: number
  readonly confirmed: number
  readonly frames: readonly string[]
}

/**
 * What it takes to go on with a session over another socket: its token, the number of the last message that was dealt with,
 * and every frame out that the server is not known to have.
 *
 * Invariant: `#frames` are the frames from number `#confirmed` on, counted from the one after `username`.
 */
export class Resumption {
  #token: string | undefined
  #graceMs = 0
  #seq = 0
  #acked = 0
  #confirmed = 0
  #frames: string[] = []

  static from(saved: SavedResumption): Resumption {
    const resumption = new Resumption()
    resumption.#token = saved.token
    resumption.#graceMs = saved.graceMs
    resumption.#seq = saved.seq
    resumption.#acked = saved.seq
    resumption.#confirmed = saved.confirmed
    resumption.#frames = [...saved.frames]
    return resumption
  }

  save(): SavedResumption | undefined {
    if (this.#token === undefined) return undefined
    return {
      token: this.#token,
      graceMs: this.#graceMs,
      seq: this.#seq,
      confirmed: this.#confirmed,
      frames: this.#frames,
    }
  }

  /** Undefined until the server says that the session outlives its socket. */
  get token(): string | undefined {
    return this.#token
  }
  get graceMs(): number {
    return this.#graceMs
  }
  /** The last message that was dealt with. */
  get seq(): number {
    return this.#seq
  }
  /** Messages that the server does not know to be dealt with. */
  get unacked(): number {
    return this.#seq - this.#acked
  }

  renew(token: string, graceSeconds: number): void {
    this.#token = token
    this.#graceMs = graceSeconds * 1000
  }

  /** False for a message that came before. What has no number passes. */
  take(seq: number): boolean {
    if (seq <= this.#seq) return false
    if (seq > this.#seq) this.#seq = seq
    return true
  }

  /** The number to acknowledge now. */
  ack(): number {
    this.#acked = this.#seq
    return this.#seq
  }

  keep(frame: string): void {
    this.#frames.push(frame)
  }

  /** The server has so many frames. */
  confirm(received: number): void {
    this.#frames.splice(0, Math.max(0, received - this.#confirmed))
    this.#confirmed = Math.max(this.#confirmed, received)
  }

  /** Gives up those of the frames that the server does not have and that are of no use any more. */
  giveUp(useless: (frame: string) => boolean): void {
    this.#frames = this.#frames.filter((frame) => !useless(frame))
  }

  /** To be sent again, in this order. */
  get frames(): readonly string[] {
    return this.#frames
  }
}
