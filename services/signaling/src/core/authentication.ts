import { closeCodes, type SignalingErrorCode } from '@hairpin/protocol'
import type { Identity, TokenErrorCode } from '@hairpin/tokens'
import { objection, takeNoCalls } from './agents.ts'
import type { Hub } from './hub.ts'
import { cleanName } from './names.ts'
import { enableResume } from './resumption.ts'
import { isMember, type Member, type Session, type TokenPurpose } from './session.ts'
import { arrive } from './waking.ts'

/** What became of a token. */
export type Verdict = { readonly identity: Identity } | { readonly code: TokenErrorCode; readonly message: string }

/** Has a token verified, one at a time. */
export function authenticate(hub: Hub, session: Session, purpose: TokenPurpose, token: string): void {
  if (session.verifying !== undefined) {
    hub.refuse(session, 'SIG_RATE_LIMITED', aboutOf(purpose), 'the last token is being verified')
    return
  }
  session.verifying = purpose
  hub.outbound.push({ do: 'verify-token', session: session.id, token })
}

/** Goes on where `authenticate` left off. */
export function decide(hub: Hub, session: Session, verdict: Verdict, now: number): void {
  const purpose = session.verifying
  session.verifying = undefined
  if (purpose === undefined) return
  if ('code' in verdict) {
    hub.refuse(session, verdict.code, aboutOf(purpose), verdict.message)
    if (purpose.kind === 'join') hub.close(session, closeCodeOf(verdict.code), 'token refused', now)
  } else if (purpose.kind === 'join') join(hub, session, purpose, verdict.identity, now)
  else refresh(hub, session, verdict.identity, now)
}

function join(
  hub: Hub,
  session: Session,
  purpose: TokenPurpose & { kind: 'join' },
  identity: Identity,
  now: number,
): void {
  const { app, user, name } = identity
  const realm = hub.directory.of(app)
  if ((realm.find(user)?.sessions.length ?? 0) >= hub.options.limits.devicesPerUser) {
    hub.refuse(session, 'SIG_TOO_MANY_DEVICES', 'username')
    hub.close(session, closeCodes.tooManyDevices, 'too many devices', now)
    return
  }
  realm.join(session, user, labelOf(name), now)
  if (purpose.wanted !== user) hub.send(session, { type: 'rejectusername', id: session.id, name: user })
  hub.joined(session)
  if (purpose.resume) enableResume(hub, session)
  hold(hub, session, identity, now)
  hub.fetchIceServers(session)
  if (isMember(session)) arrive(hub, session)
}

function refresh(hub: Hub, session: Session, identity: Identity, now: number): void {
  const { app, user } = session.identity ?? {}
  if (identity.app !== app || identity.user !== user || !isMember(session)) {
    hub.refuse(session, 'SIG_TOKEN_MISMATCH', 'token')
    return
  }
  session.realm.relabel(session.user, labelOf(identity.name), now)
  hold(hub, session, identity, now)
  if (session.takesCalls && objection(hub, session) !== undefined) takeNoCalls(hub, session)
}

/** The session is this identity until that ends; halfway to the end, or shortly before, its client is warned. */
function hold(hub: Hub, session: Session, identity: Identity, now: number): void {
  const left = Math.max(0, identity.expiresAt - hub.options.date())
  session.identity = identity
  session.expiresAt = now + left
  hub.expiries.set(session, now + left - Math.min(hub.options.limits.tokenWarnMs, left / 2))
  tell(hub, session, identity, false)
}

/** The warning, or the end. */
export function expire(hub: Hub, session: Session, now: number): void {
  const { identity, expiresAt } = session
  if (identity === undefined || expiresAt === undefined) return
  if (expiresAt > now) {
    hub.expiries.set(session, expiresAt)
    tell(hub, session, identity, true)
    return
  }
  hub.refuse(session, 'SIG_TOKEN_EXPIRED')
  hub.close(session, closeCodes.tokenExpired, 'token expired', now)
}

/** Whether a session may begin a call with a user of its realm. */
export function mayCall({ identity }: Member, user: string): boolean {
  return identity === undefined || identity.mayCall === 'everyone' || identity.mayCall.has(user)
}

function tell(hub: Hub, session: Session, { expiresAt }: Identity, renew: boolean): void {
  hub.send(session, { type: 'token', expiresAt: new Date(expiresAt).toISOString(), renew })
}

function labelOf(name: string | undefined): string | undefined {
  const label = name === undefined ? '' : cleanName(name)
  return label === '' ? undefined : label
}

function aboutOf({ kind }: TokenPurpose): string {
  return kind === 'join' ? 'username' : 'token'
}

function closeCodeOf(code: SignalingErrorCode): number {
  if (code === 'SIG_TOKEN_EXPIRED') return closeCodes.tokenExpired
  return code === 'SIG_TOKEN_KEYS_UNAVAILABLE' ? closeCodes.keysUnavailable : closeCodes.unauthorized
}
