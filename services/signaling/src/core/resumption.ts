import { closeCodes, type ServerBody } from '@hairpin/protocol'
import { connected } from './agents.ts'
import { otherSide } from './call.ts'
import type { Hub } from './hub.ts'
import { Outbox } from './outbox.ts'
import { isMember, type Member, type Session } from './session.ts'
import { heard } from './waking.ts'

/** From now on the session outlives its socket, where the server allows it. */
export function enableResume(hub: Hub, session: Session): void {
  const { limits } = hub.options
  if (limits.graceMs === 0) return
  session.outbox = new Outbox(limits, session.seq)
  const token = hub.resumable.issue(session)
  hub.send(session, { type: 'session', id: session.id, token, grace: limits.graceMs / 1000 })
}

export interface ResumeRequest {
  readonly token: string
  /** The last message that the client dealt with. */
  readonly seq: number
  /** The client has forgotten what it was told before that. */
  readonly reload: boolean
}

/** Gives the socket of a fresh session to the session of the token, with everything after `seq`. */
export function resume(hub: Hub, fresh: Session, request: ResumeRequest, now: number): void {
  const { token, seq, reload } = request
  const session = hub.resumable.find(token)
  if (session?.outbox === undefined || session.gone || !isMember(session)) {
    hub.report({ kind: 'resume', result: 'unknown' })
    hub.fault(fresh, 'SIG_RESUME_UNKNOWN', now, 'resume')
    return
  }
  if (!session.outbox.covers(seq)) {
    hub.report({ kind: 'resume', result: 'gap' })
    hub.close(session, closeCodes.replaced, 'resumed elsewhere', now)
    hub.fault(fresh, 'SIG_RESUME_GAP', now, 'resume')
    return
  }
  hub.report({ kind: 'resume', result: session.connection === undefined ? 'resumed' : 'taken-over' })
  takeSocket(hub, fresh, session)
  session.outbox.ack(seq)
  hub.outbound.sendAside(session, resumedBody(hub, session), seq)
  hub.outbound.replay(session)
  hub.send(session, { type: 'userlist', ...session.realm.list() })
  connected(hub, session, reload)
  const call = hub.calls.of(session.id)
  if (!call?.ringing.has(session.id)) return
  if (reload && call.offer !== undefined) hub.send(session, call.offer)
  heard(hub, call)
}

function takeSocket(hub: Hub, fresh: Session, session: Session): void {
  if (session.connection !== undefined) {
    hub.outbound.closeSocket(session, closeCodes.replaced, 'resumed elsewhere')
    hub.report({ kind: 'error', code: 'SIG_REPLACED' })
  }
  if (hub.resumable.attach(session)) hub.outbound.push({ do: 'release', session: session.id })
  hub.registry.move(fresh, session)
}

function resumedBody(hub: Hub, session: Member): ServerBody {
  const call = hub.calls.of(session.id)
  return {
    type: 'resumed',
    id: session.id,
    name: session.name,
    token: hub.resumable.issue(session),
    grace: hub.options.limits.graceMs / 1000,
    received: session.received,
    ...(call && {
      call: {
        callId: call.id,
        name: otherSide(call, session.id).name,
        state: call.answeredBy === undefined ? 'ringing' : 'connected',
        incoming: call.caller.device !== session.id,
      },
    }),
  }
}
