import type { CallBook } from './book.ts'
import { type Call, type EndReason, expectMedia, type RequestResult } from './call.ts'
import type { Outbox } from './outbox.ts'
import type { CallReason } from './reasons.ts'
import { forBrowser } from './sdp.ts'
import { Unclaimed } from './unclaimed.ts'
import type { ConnectUpdate, StatusUpdate } from './updates.ts'

export interface BusinessCallsOptions {
  readonly book: CallBook
  readonly outbox: Outbox
  readonly mode: 'bridge' | 'direct'
  readonly end: (call: Call, reason: EndReason, cause: CallReason | undefined, now: number) => void
}

/** What Meta says of the calls that the business makes, which may come before it has said their ids. */
export class BusinessCalls {
  readonly #options: BusinessCallsOptions
  readonly #unclaimed = new Unclaimed()

  constructor(options: BusinessCallsOptions) {
    this.#options = options
  }

  /** `connect` is on its way to Meta. */
  connecting(number: string): void {
    this.#unclaimed.begin(number)
  }

  /** Meta has answered `connect`: the call has an id, and what was said of it before is heard now. */
  connected(call: Call, result: RequestResult, now: number): void {
    const { book, outbox, end } = this.#options
    const id = result.ok ? result.id : undefined
    const early = this.#unclaimed.settle(id)
    if (id === undefined) {
      if (!result.ok && result.uncertain) this.#unclaimed.lose(call.number!, now)
      end(call, 'failed', result.ok ? 'unknown' : result.reason, now)
      return
    }
    book.name(call, id)
    outbox.note(id, true)
    for (const update of early) {
      if (update.kind === 'connect') this.joined(update, now)
      else this.status(update, now)
    }
    if (!book.isOver(id)) return
    call.overAtMeta = true
    end(call, 'customer-hung-up', undefined, now)
  }

  /** The customer's phone has answered the media; the person may not have. */
  joined(update: ConnectUpdate, now: number): void {
    const { book, outbox, mode } = this.#options
    const call = book.byId(update.id)
    if (!call) {
      this.#unknown(update, now)
      return
    }
    if (call.ending || call.joined) return
    call.joined = true
    if (mode === 'direct') {
      call.remoteSdp = forBrowser(update.sdp)
      outbox.tellRemote(call)
      return
    }
    outbox.joinLeg(call, update.sdp)
    outbox.media(call)
  }

  status(update: StatusUpdate, now: number): void {
    const { book, outbox, end } = this.#options
    const call = book.byId(update.id)
    if (!call) {
      if (!book.isOver(update.id)) this.#unclaimed.keep(update)
      return
    }
    if (call.direction !== 'business' || call.ending) return
    if (update.status === 'REJECTED') {
      call.overAtMeta = true
      end(call, 'rejected', undefined, now)
      return
    }
    if (update.status === 'ACCEPTED' && call.answeredAt === undefined) {
      call.answeredAt = now
      expectMedia(call, now)
      outbox.tellAgent(call, { type: 'call-state', state: 'answered' })
    } else if (update.status === 'RINGING' && !call.ringSeen && call.answeredAt === undefined) {
      call.ringSeen = true
      outbox.tellAgent(call, { type: 'call-state', state: 'ringing' })
    }
    outbox.schedule(call)
  }

  #unknown(update: ConnectUpdate, now: number): void {
    if (this.#options.book.isOver(update.id)) return
    // Nobody here holds such a call: its id was lost with the answer to `connect`.
    if (this.#unclaimed.find(update.number, now)) this.#options.outbox.terminate(update.id)
    else this.#unclaimed.keep(update)
  }
}
