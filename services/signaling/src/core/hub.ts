import type { DeskBody, Recipients } from '@hairpin/desk'
import type { IceServersAnswer } from '@hairpin/ice-servers'
import { closeCodes, type ServerBody, type SignalingErrorCode, signalingErrors } from '@hairpin/protocol'
import { dispatch } from '../messages/index.ts'
import { deskLost, told } from './agents.ts'
import { decide, expire, type Verdict } from './authentication.ts'
import { type Call, CallBook, type EndedCall } from './call.ts'
import { Deadlines } from './deadlines.ts'
import { DeskBook } from './desk-book.ts'
import { Directory } from './directory.ts'
import { parseMessage } from './frame.ts'
import type { SessionLimits } from './limits.ts'
import { Outbound } from './outbound.ts'
import type { CallOutcome, CustomBody, Output, Report } from './output.ts'
import type { User } from './presence.ts'
import { PushBook, type PushRecords } from './push-book.ts'
import { Registry } from './registry.ts'
import { ResumeBook } from './resume-book.ts'
import { RoomBook } from './rooms.ts'
import { isMember, type Member, Session } from './session.ts'
import { type Awaited, type PushAbility, settle } from './waking.ts'

export interface HubOptions {
  readonly limits: SessionLimits
  /** Guests may join without a token. */
  readonly guests: boolean
  /** The app that guests' relayed bytes are counted for. */
  readonly guestApp: string
  /** Undefined: no device can be woken. */
  readonly push?: PushAbility
  /** What is remembered of an earlier run. */
  readonly pushRecords?: PushRecords
  /** Customers' calls come here, for the users of this app; undefined: for guests. */
  readonly desk?: { readonly app: string | undefined }
  readonly newId: () => string
  /** A resume token: unguessable. */
  readonly newToken: () => string
  /** Wall clock in ms, for the date of text messages and the end of tokens; `now` elsewhere is any monotonic clock in ms. */
  readonly date: () => number
}

/**
 * The signaling server without its sockets. Mutate it (`open`, `receive`, `closed`, `iceServers`, `verified`, `tick`,
 * `shutdown`), then do what `drain` gives, in order, then wait until `nextDeadline` or the next event.
 *
 * Sockets have ids of their own: a session that can be resumed may have several in turn.
 *
 * Invariant: after any call, every session has an open socket or waits for one within its time of grace, every session
 * in a call is one of these, and the two sides of a call know of each other.
 */
export class Hub {
  readonly options: HubOptions
  readonly directory: Directory
  readonly calls: CallBook
  readonly rooms: RoomBook
  readonly push: PushBook
  readonly desk: DeskBook
  /** By call. */
  readonly awaited = new Map<string, Awaited>()
  readonly registry = new Registry()
  readonly resumable: ResumeBook
  readonly outbound = new Outbound()
  /** When to warn of, and then act on, the end of a session's token. */
  readonly expiries = new Deadlines<Session>()

  constructor(options: HubOptions) {
    const { limits, newId, newToken } = options
    this.options = options
    this.directory = new Directory(limits.userlistMs)
    this.calls = new CallBook(limits.ringMs, newId)
    this.rooms = new RoomBook(limits.roomMembers, newId)
    this.push = new PushBook(limits, options.pushRecords, (change) => this.outbound.push({ do: 'remember', change }))
    this.desk = new DeskBook((output) => this.outbound.push(output))
    this.resumable = new ResumeBook(newToken)
  }

  get size(): number {
    return this.registry.size
  }

  /** A client connected; gives the id of its socket, which is the session's too. */
  open(now: number): string {
    const { newId, limits } = this.options
    const session = new Session(newId(), limits, now)
    this.registry.add(session, now + limits.joinMs)
    this.send(session, { type: 'id', id: session.id })
    return session.id
  }

  /** A frame came: its text, or undefined when it was a binary one. */
  receive(connection: string, text: string | undefined, now: number): void {
    const session = this.registry.byConnection(connection)
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
    const session = this.registry.byConnection(connection)
    if (session === undefined) return undefined
    const kept = session.outbox !== undefined && code !== 1000
    if (kept) {
      this.registry.detach(session)
      this.desk.disconnect(session.id)
      const { graceMs, awayMs } = this.options.limits
      this.resumable.detach(session, now + (code === closeCodes.goingAway ? Math.min(awayMs, graceMs) : graceMs))
    } else this.#remove(session, now)
    this.#settle(now)
    return kept ? session.id : undefined
  }

  /** The answer to a `fetch-ice-servers`; undefined when there is none to be had. */
  iceServers(id: string, result: IceServersAnswer | undefined, now: number): void {
    const session = this.registry.byId(id)
    if (session === undefined) return
    session.iceServersPending = false
    if (result === undefined) {
      this.refuse(session, 'SIG_ICE_SERVERS_UNAVAILABLE', 'ice-servers')
    } else {
      const { ttl, expiresAt } = result
      const iceServers = result.iceServers.map((server) => ({ ...server, urls: [...server.urls] }))
      this.send(session, { type: 'ice-servers', iceServers, ttl, expiresAt })
    }
    this.#settle(now)
  }

  /** The push service says that the endpoint is gone. */
  endpointGone(address: string): void {
    this.push.drop(address)
  }

  /** The answer to a `verify-token`. */
  verified(id: string, verdict: Verdict, now: number): void {
    const session = this.registry.byId(id)
    if (session === undefined) return
    decide(this, session, verdict, now)
    this.#settle(now)
  }

  /** The service that brings customers' calls can be reached, and knows of no agent. */
  deskUp(now: number): void {
    this.desk.up()
    this.#settle(now)
  }

  /** It cannot be reached. */
  deskDown(now: number): void {
    deskLost(this)
    this.#settle(now)
  }

  /** What it has for an agent. */
  deskTold(agent: string, devices: Recipients, body: DeskBody, now: number): void {
    told(this, agent, devices, body)
    this.#settle(now)
  }

  /** Does what is due. */
  tick(now: number): void {
    for (const ended of this.calls.expire(now)) this.endCall(ended)
    for (let session = this.resumable.expired(now); session; session = this.resumable.expired(now)) {
      this.report({ kind: 'resume', result: 'expired' })
      this.#remove(session, now)
      this.outbound.push({ do: 'release', session: session.id })
    }
    for (let session = this.expiries.take(now); session; session = this.expiries.take(now)) expire(this, session, now)
    for (const session of this.registry.late(now)) {
      this.refuse(session, 'SIG_JOIN_TIMEOUT')
      this.close(session, closeCodes.joinTimeout, 'no username in time', now)
    }
    for (const realm of this.directory.takeDue(now)) {
      const list: ServerBody = { type: 'userlist', ...realm.list() }
      // A detached one gets the list that is true when it is back.
      for (const member of realm.sessions()) if (member.connection !== undefined) this.send(member, list)
    }
    this.#settle(now)
  }

  /** When `tick` has work next. */
  nextDeadline(): number | undefined {
    const next = Math.min(
      this.registry.joinDeadline() ?? Number.POSITIVE_INFINITY,
      this.directory.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.calls.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.resumable.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.expiries.next() ?? Number.POSITIVE_INFINITY,
    )
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }

  /** Says `bye` to everyone. Calls are not ended: their media does not need this server. */
  shutdown(): void {
    for (const device of [...this.desk.devices()]) this.desk.disconnect(device)
    const bye: ServerBody = { type: 'bye', reason: 'shutdown' }
    for (const session of this.registry.all()) {
      this.send(session, bye)
      session.gone = true
      this.outbound.closeSocket(session, closeCodes.goingAway, 'shutdown')
      if (this.resumable.forget(session)) this.outbound.push({ do: 'release', session: session.id })
    }
    this.registry.clear()
  }

  /** What is to be done since the last call. */
  drain(): Output[] {
    return this.outbound.drain()
  }

  // What follows is for the handlers of messages/ and for the hub's other parts.

  send(session: Session, message: ServerBody | CustomBody): void {
    this.outbound.send(session, message)
  }

  /** To all devices of a user. */
  sendToUser(user: User, message: ServerBody | CustomBody): void {
    for (const session of user.sessions) this.send(session, message)
  }

  sendToDevices(devices: readonly string[], message: ServerBody): void {
    for (const device of devices) {
      const session = this.registry.byId(device)
      if (session !== undefined) this.send(session, message)
    }
  }

  report(report: Report): void {
    this.outbound.report(report)
  }

  /** A proper message that cannot be followed now. */
  refuse(session: Session, code: SignalingErrorCode, about?: string, detail?: string, callId?: string): void {
    const message = detail === undefined ? signalingErrors[code] : `${signalingErrors[code]} (${detail})`
    this.send(session, {
      type: 'error',
      code,
      message,
      ...(about === undefined ? {} : { about }),
      ...(callId === undefined ? {} : { callId }),
    })
    this.report({ kind: 'error', code })
  }

  /** A message that no well-behaved client sends: refused, and too many of them end the session. */
  fault(session: Session, code: SignalingErrorCode, now: number, about?: string, detail?: string): void {
    this.refuse(session, code, about, detail)
    if (session.takeStrike(now)) return
    this.refuse(session, 'SIG_ABUSE')
    this.close(session, closeCodes.abuse, 'too many errors', now)
  }

  close(session: Session, code: number, reason: string, now: number): void {
    if (session.gone) return
    this.outbound.closeSocket(session, code, reason)
    this.#remove(session, now)
  }

  joined(session: Session): void {
    this.registry.joined(session)
  }

  fetchIceServers(session: Session): void {
    if (session.iceServersPending || !isMember(session)) return
    session.iceServersPending = true
    const { name: user, identity } = session
    const app = identity?.app ?? session.realm.app ?? this.options.guestApp
    this.outbound.push({ do: 'fetch-ice-servers', session: session.id, app, user })
  }

  /** Tells both sides that their call is over; the one that ended it knows, so the tutorial's `hang-up` goes to the others. */
  endCall(ended: EndedCall): void {
    const { call, reason, by, devices } = ended
    settle(this, ended)
    const { id: callId, caller, callee } = call
    for (const device of devices) {
      const [self, other] = device === caller.device ? [caller, callee] : [callee, caller]
      const hangUp: ServerBody = { type: 'hang-up', callId, name: other.name, target: self.name }
      if (device !== by) this.sendToDevices([device], hangUp)
      this.sendToDevices([device], { type: 'call-ended', callId, name: other.name, reason })
    }
    this.report({ kind: 'call-ended', outcome: outcomeOf(call, reason) })
  }

  /** Takes a session out of its room and tells those who stay. */
  leaveRoom(session: Session): void {
    const stay = this.rooms.leave(session.id)
    if (stay === undefined) return
    const { room, member } = stay
    const devices = [...room.members.values()].map(({ device }) => device)
    this.sendToDevices(devices, { type: 'room-left', room: room.name, id: member.id, name: member.name })
  }

  /** Tells the caller that its offer became no call. */
  endUnmade(caller: Member, callee: string, reason: 'busy' | 'offline'): void {
    const callId = this.options.newId()
    this.send(caller, { type: 'hang-up', callId, name: callee, target: caller.name })
    this.send(caller, { type: 'call-ended', callId, name: callee, reason })
    this.report({ kind: 'call-ended', outcome: reason })
  }

  /** The client's frames are counted so that it knows, after a loss, which of them to send again. */
  #count(session: Session): void {
    if (session.outbox === undefined) return
    this.resumable.confirm(session)
    session.received++
    if (session.received % this.options.limits.framesPerAck === 0)
      this.send(session, { type: 'ack', received: session.received })
  }

  /** Ends the sessions whose outbox ran over; that may fill the outboxes of others. */
  #settle(now: number): void {
    const { overflowing } = this.outbound
    for (const session of overflowing) {
      overflowing.delete(session)
      session.gone = false
      session.outbox = undefined
      this.refuse(session, 'SIG_OUTBOX_FULL')
      this.close(session, closeCodes.outboxFull, 'outbox full', now)
    }
  }

  #remove(session: Session, now: number): void {
    session.gone = true
    this.outbound.overflowing.delete(session)
    this.desk.disconnect(session.id)
    const ended = this.calls.disconnect(session.id)
    if (ended !== undefined) this.endCall(ended)
    this.leaveRoom(session)
    this.directory.leave(session, now)
    this.expiries.delete(session)
    this.registry.remove(session)
    if (this.resumable.forget(session)) this.outbound.push({ do: 'release', session: session.id })
  }
}

function outcomeOf(call: Call, reason: EndedCall['reason']): CallOutcome {
  if (reason === 'disconnected') return call.answeredBy === undefined ? 'abandoned' : 'dropped'
  return reason === 'hang-up' ? 'completed' : reason
}
