import { closeCodes, type ServerBody, type SignalingErrorCode, signalingErrors } from '@hairpin/protocol'
import type { IceServersAnswer } from '../ice-servers.ts'
import { dispatch } from '../messages/index.ts'
import { type Call, CallBook, type EndedCall, other } from './call.ts'
import { parseMessage } from './frame.ts'
import type { SessionLimits } from './limits.ts'
import type { CallOutcome, CustomBody, Output, Report } from './output.ts'
import { Presence } from './presence.ts'
import { Session } from './session.ts'

export interface HubOptions {
  readonly limits: SessionLimits
  /** Guests may join without a token. */
  readonly guests: boolean
  readonly newId: () => string
  /** Wall clock in ms, for the date of text messages; `now` elsewhere is any monotonic clock in ms. */
  readonly date: () => number
}

/**
 * The signaling server without its sockets. Mutate it (`open`, `receive`, `closed`, `iceServers`, `tick`, `shutdown`),
 * then do what `drain` gives, in order, then wait until `nextDeadline` or the next event.
 *
 * Invariant: after any call, every session in a call is open, and the two sides of a call know of each other.
 */
export class Hub {
  readonly options: HubOptions
  readonly presence: Presence
  readonly calls: CallBook
  readonly #sessions = new Map<string, Session>()
  /** Sessions without a name and when their time is up, in that order. */
  readonly #joining = new Map<Session, number>()
  #outputs: Output[] = []

  constructor(options: HubOptions) {
    this.options = options
    this.presence = new Presence(options.limits.userlistMs)
    this.calls = new CallBook(options.limits.ringMs, options.newId)
  }

  get size(): number {
    return this.#sessions.size
  }

  /** A client connected; gives its session's id. */
  open(now: number): string {
    const session = new Session(this.options.newId(), this.options.limits, now)
    this.#sessions.set(session.id, session)
    this.#joining.set(session, now + this.options.limits.joinMs)
    this.send(session, { type: 'id', id: session.id })
    return session.id
  }

  /** A frame came: its text, or undefined when it was a binary one. */
  receive(id: string, text: string | undefined, now: number): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    const message = session.messages.take(1, now) ? parseMessage(text) : 'SIG_RATE_LIMITED'
    this.report({ kind: 'received', type: typeof message === 'string' ? 'invalid' : message.type })
    if (typeof message === 'string') this.fault(session, message, now)
    else dispatch(this, session, message, now)
  }

  /** The client's socket is gone. */
  closed(id: string, now: number): void {
    const session = this.#sessions.get(id)
    if (session !== undefined) this.#remove(session, now)
  }

  /** The answer to a `fetch-ice-servers`; undefined when there is none to be had. */
  iceServers(id: string, result: IceServersAnswer | undefined): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    session.iceServersPending = false
    if (result === undefined) {
      this.refuse(session, 'SIG_ICE_SERVERS_UNAVAILABLE', 'ice-servers')
      return
    }
    const { ttl, expiresAt } = result
    const iceServers = result.iceServers.map((server) => ({ ...server, urls: [...server.urls] }))
    this.send(session, { type: 'ice-servers', iceServers, ttl, expiresAt })
  }

  /** Does what is due. */
  tick(now: number): void {
    for (const ended of this.calls.expire(now)) this.endCall(ended)
    for (const [session, deadline] of this.#joining) {
      if (deadline > now) break
      this.refuse(session, 'SIG_JOIN_TIMEOUT')
      this.close(session, closeCodes.joinTimeout, 'no username in time', now)
    }
    if (this.presence.due !== undefined && this.presence.due <= now) {
      const list: ServerBody = { type: 'userlist', users: this.presence.takeList() }
      for (const member of this.presence.members()) this.send(member, list)
    }
  }

  /** When `tick` has work next. */
  nextDeadline(): number | undefined {
    const [joining] = this.#joining.values()
    const deadlines = [joining, this.presence.due, this.calls.nextDeadline()].filter((at) => at !== undefined)
    return deadlines.length === 0 ? undefined : Math.min(...deadlines)
  }

  /** Says `bye` to everyone. Calls are not ended: their media does not need this server. */
  shutdown(): void {
    const bye: ServerBody = { type: 'bye', reason: 'shutdown' }
    for (const session of this.#sessions.values()) {
      this.send(session, bye)
      session.gone = true
      this.#outputs.push({ do: 'close', session: session.id, code: closeCodes.goingAway, reason: 'shutdown' })
    }
    this.#sessions.clear()
    this.#joining.clear()
  }

  /** What is to be done since the last call. */
  drain(): Output[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  // What follows is for the handlers of messages/.

  send(session: Session, message: ServerBody | CustomBody): void {
    if (!session.gone) this.#outputs.push({ do: 'send', to: session.id, message, seq: ++session.seq })
  }

  sendToParty(party: string, message: ServerBody): void {
    const session = this.#sessions.get(party)
    if (session !== undefined) this.send(session, message)
  }

  nameOf(party: string): string {
    return this.#sessions.get(party)?.name ?? ''
  }

  report(report: Report): void {
    this.#outputs.push({ do: 'report', report })
  }

  /** A proper message that cannot be followed now. */
  refuse(session: Session, code: SignalingErrorCode, about?: string, detail?: string): void {
    const message = detail === undefined ? signalingErrors[code] : `${signalingErrors[code]} (${detail})`
    this.send(session, { type: 'error', code, message, ...(about === undefined ? {} : { about }) })
    this.report({ kind: 'error', code })
  }

  /** A message that no well-behaved client sends: refused, and too many of them end the session. */
  fault(session: Session, code: SignalingErrorCode, now: number, about?: string, detail?: string): void {
    this.refuse(session, code, about, detail)
    if (session.strikes.take(1, now)) return
    this.refuse(session, 'SIG_ABUSE')
    this.close(session, closeCodes.abuse, 'too many errors', now)
  }

  close(session: Session, code: number, reason: string, now: number): void {
    if (session.gone) return
    this.#outputs.push({ do: 'close', session: session.id, code, reason })
    this.#remove(session, now)
  }

  joined(session: Session): void {
    this.#joining.delete(session)
  }

  fetchIceServers(session: Session): void {
    if (session.iceServersPending || session.name === undefined) return
    session.iceServersPending = true
    this.#outputs.push({ do: 'fetch-ice-servers', session: session.id, user: session.name })
  }

  /** Tells both sides that their call is over; the one that ended it knows, so the tutorial's `hang-up` goes to the other. */
  endCall({ call, reason, by }: EndedCall): void {
    for (const party of [call.caller, call.callee]) {
      const name = this.nameOf(other(call, party))
      if (party !== by) this.sendToParty(party, { type: 'hang-up', callId: call.id, name, target: this.nameOf(party) })
      this.sendToParty(party, { type: 'call-ended', callId: call.id, name, reason })
    }
    this.report({ kind: 'call-ended', outcome: outcomeOf(call, reason) })
  }

  /** Tells the caller that its offer became no call. */
  endUnmade(caller: Session & { name: string }, callee: string, reason: 'busy' | 'offline'): void {
    const callId = this.options.newId()
    this.send(caller, { type: 'hang-up', callId, name: callee, target: caller.name })
    this.send(caller, { type: 'call-ended', callId, name: callee, reason })
    this.report({ kind: 'call-ended', outcome: reason })
  }

  #remove(session: Session, now: number): void {
    session.gone = true
    const ended = this.calls.disconnect(session.id)
    if (ended !== undefined) this.endCall(ended)
    this.presence.leave(session, now)
    this.#joining.delete(session)
    this.#sessions.delete(session.id)
  }
}

function outcomeOf(call: Call, reason: EndedCall['reason']): CallOutcome {
  if (reason === 'disconnected') return call.answered ? 'dropped' : 'abandoned'
  return reason === 'hang-up' ? 'completed' : reason
}
