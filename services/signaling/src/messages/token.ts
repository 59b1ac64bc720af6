import { authenticate } from '../core/authentication.ts'
import type { Handler } from './handler.ts'

/** A fresh token for a session that stands by one. */
export const token: Handler<'token'> = {
  cost: 10,
  handle(hub, session, { type, token: fresh }, now) {
    if (session.identity === undefined) hub.fault(session, 'SIG_TOKEN_MISMATCH', now, type)
    else authenticate(hub, session, { kind: 'refresh' }, fresh)
  },
}
