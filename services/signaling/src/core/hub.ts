import { closeCodes, type ServerBody, type SignalingErrorCode, signalingErrors } from '@hairpin/protocol'
import type { IceServersAnswer } from '../ice-servers.ts'
import { dispatch } from '../messages/index.ts'
import { type Call, CallBook, type EndedCall, other } from './call.ts'
import { FrameEncoder } from './encoder.ts'
import { parseMessage } from './frame.ts'
import type { SessionLimits } from './limits.ts'
import { Outbox } from './outbox.ts'
import type { CallOutcome, CustomBody, Output, Report, ResumeResult } from './output.ts'
import { Presence } from './presence.ts'
import { ResumeBook } from './resume-book.ts'
import { Session } from './session.ts'

export interface HubOptions {
  readonly limits: SessionLimits
  /** Guests may join without a token. */
  readonly guests: boolean
  readonly newId: () => string
  /** A resume token: unguessable. */
  readonly newToken: () => string
  /** Wall clock in ms, for the date of text messages; `now` elsewhere is any monotonic clock in ms. */
  readonly date: () => number
}

/**
 * The signaling server without its sockets. Mutate it (`open`, `receive`, `closed`, `iceServers`, `tick`, `shutdown`),
 * then do what `drain` gives, in order, then wait until `nextDeadline` or the next event.
 *
 * Sockets have ids of their own: a session that can be resumed may have several in turn.
 *
 * Invariant: after any call, every session has an open socket or waits for one within its time of grace, every session
 * in a call is one of these, and the two sides of a call know of each other.
 */
export class Hub {
  readonly options: HubOptions
  readonly presence: Presence
  readonly calls: CallBook
  readonly #sessions = new Map<string, Session>()
  readonly #byConnection = new Map<string, Session>()
  readonly #resumable: ResumeBook
  readonly #encoder = new FrameEncoder()
  /** Sessions whose outbox is full; they end before the call into the hub does. */
  readonly #overflowing = new Set<Session>()
  /** Sessions without a name and when their time is up, in that order. */
  readonly #joining = new Map<Session, number>()
  #outputs: Output[] = []

  constructor(options: HubOptions) {
    this.options = options
    this.presence = new Presence(options.limits.userlistMs)
    this.calls = new CallBook(options.limits.ringMs, options.newId)
    this.#resumable = new ResumeBook(options.limits.graceMs, options.newToken)
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Sessions without a socket that may get one again. */
  get detached(): number {
    return this.#resumable.detachedCount
  }

  /** A client connected; gives the id of its socket, which is the session's too. */
  open(now: number): string {
    const session = new Session(this.options.newId(), this.options.limits, now)
    this.#sessions.set(session.id, session)
    this.#byConnection.set(session.id, session)
    this.#joining.set(session, now + this.options.limits.joinMs)
    this.send(session, { type: 'id', id: session.id })
    return session.id
  }

  /** A frame came: its text, or undefined when it was a binary one. */
  receive(connection: string, text: string | undefined, now: number): void {
    const session = this.#byConnection.get(connection)
    if (session === undefined) return
    this.#count(session)
    const message = session.messages.take(1, now) ? parseMessage(text) : 'SIG_RATE_LIMITED'
    this.report({ kind: 'received', type: typeof message === 'string' ? 'invalid' : message.type })
    if (typeof message === 'string') this.fault(session, message, now)
    else dispatch(this, session, message, now)
    this.#settle(now)
  }

  /** The socket is gone. The id of its session when that waits for another socket: then a `release` will follow. */
  closed(connection: string, now: number, code?: number): string | undefined {
    const session = this.#byConnection.get(connection)
    if (session === undefined) return undefined
    const kept = session.outbox !== undefined && code !== 1000
    if (kept) {
      this.#byConnection.delete(connection)
      session.connection = undefined
      this.#resumable.detach(session, now)
    } else this.#remove(session, now)
    this.#settle(now)
    return kept ? session.id : undefined
  }

  /** The answer to a `fetch-ice-servers`; undefined when there is none to be had. */
  iceServers(id: string, result: IceServersAnswer | undefined, now: number): void {
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
    this.#settle(now)
  }

  /** Does what is due. */
  tick(now: number): void {
    for (const ended of this.calls.expire(now)) this.endCall(ended)
    for (const session of this.#resumable.expired(now)) {
      this.#reportResume('expired')
      this.#remove(session, now)
    }
    for (const [session, deadline] of this.#joining) {
      if (deadline > now) break
      this.refuse(session, 'SIG_JOIN_TIMEOUT')
      this.close(session, closeCodes.joinTimeout, 'no username in time', now)
    }
    if (this.presence.due !== undefined && this.presence.due <= now) {
      const list = this.#userlist()
      this.presence.listed()
      // A detached one gets the list that is true when it is back.
      for (const member of this.presence.members()) if (member.connection !== undefined) this.send(member, list)
    }
    this.#settle(now)
  }

  /** When `tick` has work next. */
  nextDeadline(): number | undefined {
    const [joining] = this.#joining.values()
    const deadlines = [joining, this.presence.due, this.calls.nextDeadline(), this.#resumable.nextDeadline()].filter(
      (at) => at !== undefined,
    )
    return deadlines.length === 0 ? undefined : Math.min(...deadlines)
  }

  /** Says `bye` to everyone. Calls are not ended: their media does not need this server. */
  shutdown(): void {
    const bye: ServerBody = { type: 'bye', reason: 'shutdown' }
    for (const session of this.#sessions.values()) {
      this.send(session, bye)
      session.gone = true
      this.#closeSocket(session, closeCodes.goingAway, 'shutdown')
      if (this.#resumable.forget(session)) this.#outputs.push({ do: 'release', session: session.id })
    }
    this.#sessions.clear()
    this.#byConnection.clear()
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
    if (session.gone) return
    const encoded = this.#encoder.encode(message)
    const { type } = message
    const seq = session.seq + 1
    if (session.outbox?.push({ seq, type, encoded }) === false) {
      // Its end is for #settle: here somebody is in the midst of a change.
      session.gone = true
      this.#overflowing.add(session)
      return
    }
    session.seq = seq
    this.#write(session, type, encoded.text, seq)
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
    this.#closeSocket(session, code, reason)
    this.#remove(session, now)
  }

  /** From now on the session outlives its socket, where the server allows it. */
  enableResume(session: Session): void {
    const { limits } = this.options
    if (limits.graceMs === 0) return
    session.outbox = new Outbox(limits, session.seq)
    const token = this.#resumable.issue(session)
    this.send(session, { type: 'session', id: session.id, token, grace: limits.graceMs / 1000 })
  }

  /** Gives the socket of a fresh session to the session of the token, with everything after `seq`. */
  resume(fresh: Session, token: string, seq: number, now: number): void {
    const session = this.#resumable.find(token)
    if (session?.outbox === undefined || session.gone) {
      this.#reportResume('unknown')
      this.fault(fresh, 'SIG_RESUME_UNKNOWN', now, 'resume')
      return
    }
    if (!session.outbox.covers(seq)) {
      this.#reportResume('gap')
      this.#closeSocket(session, closeCodes.replaced, 'resumed elsewhere')
      this.#remove(session, now)
      this.fault(fresh, 'SIG_RESUME_GAP', now, 'resume')
      return
    }
    this.#reportResume(session.connection === undefined ? 'resumed' : 'taken-over')
    this.#moveSocket(fresh, session)
    session.outbox.ack(seq)
    this.#sayResumed(session as Session & { name: string }, seq)
    for (const kept of session.outbox.waiting()) this.#write(session, kept.type, kept.encoded.text, kept.seq)
    this.send(session, this.#userlist())
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

  #userlist(): ServerBody {
    return { type: 'userlist', users: this.presence.list() }
  }

  #write({ connection }: Session, type: string, text: string, seq: number): void {
    if (connection !== undefined) this.#outputs.push({ do: 'send', connection, type, text, seq })
  }

  #closeSocket({ connection }: Session, code: number, reason: string): void {
    if (connection !== undefined) this.#outputs.push({ do: 'close', connection, code, reason })
  }

  #moveSocket(from: Session, to: Session): void {
    const { connection } = from
    if (connection === undefined) return
    if (to.connection !== undefined) {
      this.#closeSocket(to, closeCodes.replaced, 'resumed elsewhere')
      this.report({ kind: 'error', code: 'SIG_REPLACED' })
      this.#byConnection.delete(to.connection)
    }
    if (this.#resumable.attach(to)) this.#outputs.push({ do: 'release', session: to.id })
    from.gone = true
    from.connection = undefined
    this.#joining.delete(from)
    this.#sessions.delete(from.id)
    this.#byConnection.set(connection, to)
    to.connection = connection
  }

  #sayResumed(session: Session & { name: string }, seq: number): void {
    const call = this.calls.of(session.id)
    const body: ServerBody = {
      type: 'resumed',
      id: session.id,
      name: session.name,
      token: this.#resumable.issue(session),
      grace: this.options.limits.graceMs / 1000,
      received: session.received,
      ...(call && {
        call: {
          callId: call.id,
          name: this.nameOf(other(call, session.id)),
          state: call.answered ? 'connected' : 'ringing',
          incoming: call.callee === session.id,
        },
      }),
    }
    this.#write(session, body.type, this.#encoder.encode(body).text, seq)
  }

  #reportResume(result: ResumeResult): void {
    this.report({ kind: 'resume', result })
  }

  /** The client's frames are counted so that it knows, after a loss, which of them to send again. */
  #count(session: Session): void {
    if (session.outbox === undefined) return
    this.#resumable.confirm(session)
    session.received++
    if (session.received % this.options.limits.framesPerAck === 0)
      this.send(session, { type: 'ack', received: session.received })
  }

  /** Ends the sessions whose outbox ran over; that may fill the outboxes of others. */
  #settle(now: number): void {
    for (const session of this.#overflowing) {
      this.#overflowing.delete(session)
      session.gone = false
      session.outbox = undefined
      this.refuse(session, 'SIG_OUTBOX_FULL')
      this.close(session, closeCodes.outboxFull, 'outbox full', now)
    }
  }

  #remove(session: Session, now: number): void {
    session.gone = true
    this.#overflowing.delete(session)
    if (session.connection !== undefined) this.#byConnection.delete(session.connection)
    if (this.#resumable.forget(session)) this.#outputs.push({ do: 'release', session: session.id })
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
