import type { Session } from '../core/session.ts'
import type { Handler } from './handler.ts'

/** Goes on with a session over this new socket. */
export const resume: Handler<'resume', Session> = {
  cost: 10,
  handle(hub, session, { type, token, seq }, now) {
    if (session.name !== undefined) hub.fault(session, 'SIG_ALREADY_JOINED', now, type)
    else hub.resume(session, token, seq, now)
  },
}
