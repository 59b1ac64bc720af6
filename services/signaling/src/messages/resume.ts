import { resume as goOn } from '../core/resumption.ts'
import type { Session } from '../core/session.ts'
import type { Handler } from './handler.ts'

/** Goes on with a session over this new socket. */
export const resume: Handler<'resume', Session> = {
  cost: 10,
  handle(hub, session, { type, token, seq, reload = false }, now) {
    if (session.user !== undefined) hub.fault(session, 'SIG_ALREADY_JOINED', now, type)
    else goOn(hub, session, { token, seq, reload }, now)
  },
}
