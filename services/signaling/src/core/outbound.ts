import type { ServerBody } from '@hairpin/protocol'
import { type Encoded, FrameEncoder } from './encoder.ts'
import type { CustomBody, Output, Report } from './output.ts'
import type { Session } from './session.ts'

/** Collects what is to be done, and keeps what a session may need again. */
export class Outbound {
  readonly #encoder = new FrameEncoder()
  /** Sessions whose outbox is full. Whoever drives the core has to end them before it is done. */
  readonly overflowing = new Set<Session>()
  #outputs: Output[] = []

  push(output: Output): void {
    this.#outputs.push(output)
  }

  report(report: Report): void {
    this.push({ do: 'report', report })
  }

  drain(): Output[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** Numbers a message and sends it; a detached session has it kept. */
  send(session: Session, message: ServerBody | CustomBody): void {
    if (session.gone) return
    const encoded = this.#encoder.encode(message)
    if (session.outbox?.push(encoded) === false) {
      // Its end has to wait: somebody is in the midst of a change.
      session.gone = true
      this.overflowing.add(session)
      return
    }
    this.#write(session, encoded, ++session.seq)
  }

  /** Sends a message that has no number of its own. */
  sendAside(session: Session, message: ServerBody, seq: number): void {
    this.#write(session, this.#encoder.encode(message), seq)
  }

  /** Sends again what is kept. */
  replay(session: Session): void {
    const { outbox } = session
    if (outbox === undefined) return
    let seq = outbox.acked
    for (const encoded of outbox.waiting()) this.#write(session, encoded, ++seq)
  }

  closeSocket({ connection }: Session, code: number, reason: string): void {
    if (connection !== undefined) this.push({ do: 'close', connection, code, reason })
  }

  #write({ connection }: Session, { type, text }: Encoded, seq: number): void {
    if (connection !== undefined) this.push({ do: 'send', connection, type, text, seq })
  }
}
