import type { DeskBody, DeskRequest, Recipients } from '@hairpin/desk'
import { type SignalingErrorCode, signalingErrors } from '@hairpin/protocol'
import type { Hub } from './hub.ts'
import type { User } from './presence.ts'
import { isMember, type Member, type Session } from './session.ts'

/** Why a session cannot be an agent's. */
export function objection(hub: Hub, { identity }: Session): SignalingErrorCode | undefined {
  const { desk } = hub.options
  if (desk === undefined || (identity !== undefined && identity.app !== desk.app)) return 'SIG_NO_DESK'
  const isAgent = identity === undefined ? desk.app === undefined : identity.agent === true
  return isAgent ? undefined : 'SIG_AGENT_FORBIDDEN'
}

/** The device takes customers' calls from now on; the service answers with `agent`. */
export function takeCalls(hub: Hub, session: Member): void {
  session.takesCalls = true
  connected(hub, session, true)
}

/** The device takes no more customers' calls. */
export function takeNoCalls(hub: Hub, session: Session): void {
  session.takesCalls = false
  hub.desk.disconnect(session.id)
  hub.send(session, { type: 'agent', available: false, mode: hub.desk.mode, agents: [] })
}

/**
 * A device that takes calls has a socket, or another name.
 * @param forgot the client knows nothing of what it was told before
 */
export function connected(hub: Hub, session: Session, forgot = false): void {
  if (!session.takesCalls || session.connection === undefined || !isMember(session)) return
  hub.desk.connect(session.id, session.name, forgot)
  if (!hub.desk.reachable) hub.refuse(session, 'SIG_DESK_UNAVAILABLE', 'agent')
}

/** Whether the user is in a customer's call, on whatever device. */
export function inCustomersCall(hub: Hub, user: User): boolean {
  if (hub.desk.callOf(user.name) === undefined) return false
  return [...user.sessions].some(({ takesCalls }) => takesCalls)
}

/** Why an agent's request cannot be handed to the service now. */
export function requestObjection(hub: Hub, session: Member, { type }: DeskRequest): SignalingErrorCode | undefined {
  const code = objection(hub, session)
  if (code !== undefined) return code
  if (!session.takesCalls) return 'SIG_NOT_AVAILABLE'
  if (!hub.desk.reachable) return 'SIG_DESK_UNAVAILABLE'
  if (type !== 'browser-offer' && type !== 'browser-answer' && type !== 'call-dial') return undefined
  if (hub.calls.of(session.id) !== undefined) return 'SIG_IN_CALL'
  return hub.rooms.of(session.id) === undefined ? undefined : 'SIG_IN_ROOM'
}

/** What the service has for an agent, whose devices get it now or, without a socket, with their resume. */
export function told(hub: Hub, agent: string, devices: Recipients, body: DeskBody): void {
  const user = hub.options.desk && hub.directory.of(hub.options.desk.app).find(agent)
  if (user === undefined || !hub.desk.reachable) return
  hub.desk.heard(user.name, body)
  for (const session of user.sessions) {
    // Of who is here, the present state follows a resume.
    const isLate = body.type === 'agent' && session.connection === undefined
    if (isLate || !isFor(devices, session, body)) continue
    hub.send(session, body)
    if (body.type === 'error' && isKnown(body.code)) hub.report({ kind: 'error', code: body.code })
  }
}

/** The service cannot be reached; `agent` says when it can. */
export function deskLost(hub: Hub): void {
  hub.desk.down()
  for (const device of hub.desk.devices()) {
    const session = hub.registry.byId(device)
    if (session !== undefined) hub.refuse(session, 'SIG_DESK_UNAVAILABLE', 'agent')
  }
}

/** What a device asked for, and the end of its call, it hears whether it takes further calls by now or not. */
function isFor(devices: Recipients, { id, takesCalls }: Member, { type }: DeskBody): boolean {
  if (devices !== 'all' && 'only' in devices)
    return id === devices.only && (takesCalls || (type !== 'agent' && type !== 'call-is-coming'))
  return takesCalls && (devices === 'all' || id !== devices.except)
}

function isKnown(code: string): code is SignalingErrorCode {
  return Object.hasOwn(signalingErrors, code)
}
