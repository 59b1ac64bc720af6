import type { PushEndpoint, SignalingErrorCode } from '@hairpin/protocol'
import type { Call, EndedCall } from './call.ts'
import type { Hub } from './hub.ts'
import { nameKey } from './names.ts'
import type { Presence, User } from './presence.ts'
import type { Member } from './session.ts'

/** Which pushes this server can send. */
export interface PushAbility {
  /** The public key of Web Push; undefined: no Web Push. */
  readonly vapid?: string
  readonly fcm: boolean
  readonly apns: boolean
  /** Whether a Web Push endpoint is at a push service, and not anywhere in the operator's network. */
  allows(address: string): boolean
}

/** A call for which devices are being woken. */
export interface Awaited {
  readonly realm: Presence
  readonly user: User
  /** By it the user's endpoints are kept. */
  readonly key: string
  readonly date: number
  readonly media: string | undefined
  /** A device of the user is here and rings. */
  heard: boolean
}

/** By it the endpoints of a user are kept, whether it is here or not: an app's users and guests cannot be mixed up. */
export function pushKey(app: string | undefined, name: string): string {
  return app === undefined ? `guest ${nameKey(name)}` : `${app}/${name}`
}

/** Why an endpoint cannot be taken. */
export function objection(ability: PushAbility | undefined, endpoint: PushEndpoint): SignalingErrorCode | undefined {
  const { kind } = endpoint
  const able = kind === 'web' ? ability?.vapid !== undefined : ability?.[kind]
  if (!able) return 'SIG_PUSH_UNSUPPORTED'
  return kind === 'web' && !ability?.allows(endpoint.address) ? 'SIG_PUSH_ORIGIN' : undefined
}

/** Who can be woken under this name: somebody who is not here, but has endpoints. */
export function sleeper({ realm }: Member, hub: Hub, name: string): User | undefined {
  return hub.push.endpointsOf(pushKey(realm.app, name)).length > 0 ? realm.expect(name, hub.options.newId()) : undefined
}

/** No device of the user is connected, and some can be woken. */
export function asleep(hub: Hub, { realm }: Member, user: User): boolean {
  if ([...user.sessions].some(({ connection }) => connection !== undefined)) return false
  return hub.push.endpointsOf(pushKey(realm.app, user.name)).length > 0
}

/** Sends the pushes of a call to a user who is asleep. */
export function wake(hub: Hub, caller: Member, user: User, call: Call, media: string | undefined): void {
  const { realm } = caller
  const key = pushKey(realm.app, user.name)
  const endpoints = hub.push.endpointsOf(key)
  const date = hub.options.date()
  realm.await(user)
  call.awaited = true
  hub.awaited.set(call.id, { realm, user, key, date, media, heard: false })
  hub.send(caller, { type: 'waking', callId: call.id, name: user.name })
  const body = { type: 'incoming-call' as const, ...about(call, caller.user.label, date, media) }
  for (const endpoint of endpoints) hub.outbound.push({ do: 'push', endpoint, body, ttlMs: hub.options.limits.ringMs })
}

/** A device has a socket: what rings for its user rings here, and what the user missed is told. */
export function arrive(hub: Hub, session: Member): void {
  const call = hub.calls.join(session.id, session.user.id)
  if (call?.offer !== undefined) hub.send(session, call.offer)
  if (call !== undefined) heard(hub, call)
  const key = pushKey(session.realm.app, session.name)
  for (const missed of hub.push.takeMissed(key)) hub.send(session, { type: 'missed-call', ...missed })
}

/** The caller learns that it rings. */
export function heard(hub: Hub, call: Call): void {
  const awaited = hub.awaited.get(call.id)
  if (awaited === undefined || awaited.heard) return
  awaited.heard = true
  hub.sendToDevices([call.caller.device], { type: 'ringing', callId: call.id, name: call.callee.name })
}

/** Nobody waits any more. When nobody heard the call, it was missed. */
export function settle(hub: Hub, { call }: EndedCall): void {
  const awaited = hub.awaited.get(call.id)
  if (awaited === undefined) return
  hub.awaited.delete(call.id)
  const { realm, user, key, date, media } = awaited
  realm.unawait(user)
  if (awaited.heard) return
  const { id: callId, caller } = call
  hub.push.miss(key, { callId, name: caller.name, date, ...(media === undefined ? {} : { media }) })
  const body = { type: 'missed-call' as const, ...about(call, undefined, date, media) }
  for (const endpoint of hub.push.endpointsOf(key))
    if (endpoint.kind !== 'apns') hub.outbound.push({ do: 'push', endpoint, body, ttlMs: missedMs })
}

/** A note of a missed call is of use for this long. A VoIP push of APNs is none: it has to ring. */
const missedMs = 24 * 3_600_000

function about({ id, caller, callee }: Call, label: string | undefined, date: number, media: string | undefined) {
  return {
    callId: id,
    name: caller.name,
    target: callee.name,
    date,
    ...(label === undefined ? {} : { label }),
    ...(media === undefined ? {} : { media }),
  }
}
