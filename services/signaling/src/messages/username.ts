import { closeCodes } from '@hairpin/protocol'
import { connected, inCustomersCall } from '../core/agents.ts'
import { authenticate } from '../core/authentication.ts'
import { enableResume } from '../core/resumption.ts'
import { isMember, type Session } from '../core/session.ts'
import { arrive } from '../core/waking.ts'
import type { Handler } from './handler.ts'

/**
 * Join, or take another name. The name stands as sent unless `rejectusername` says otherwise; `userlist` follows. With a
 * token the name is the token's user.
 */
export const username: Handler<'username', Session> = {
  cost: 10,
  handle(hub, session, { type, name: wanted, token, resume = false }, now) {
    const { user } = session
    if (token !== undefined) {
      if (user === undefined) authenticate(hub, session, { kind: 'join', wanted, resume }, token)
      else hub.fault(session, 'SIG_ALREADY_JOINED', now, type)
      return
    }
    if (session.identity !== undefined) {
      if (user && wanted !== user.name) hub.send(session, { type: 'rejectusername', id: session.id, name: user.name })
      return
    }
    if (!hub.options.guests) {
      hub.refuse(session, 'SIG_GUESTS_OFF', type)
      hub.close(session, closeCodes.unauthorized, 'no guests', now)
      return
    }
    // While a token is being verified it is not known yet who this is.
    if (session.verifying !== undefined) return hub.fault(session, 'SIG_ALREADY_JOINED', now, type)
    // The other side addresses the name that it called or was called by.
    if (hub.calls.of(session.id) !== undefined || (user && inCustomersCall(hub, user)))
      return hub.refuse(session, 'SIG_IN_CALL', type)
    if (hub.rooms.of(session.id) !== undefined) return hub.refuse(session, 'SIG_IN_ROOM', type)
    const name = hub.directory.of(undefined).claim(session, wanted, now)
    if (name !== wanted) hub.send(session, { type: 'rejectusername', id: session.id, name })
    if (user !== undefined) return connected(hub, session)
    hub.joined(session)
    if (resume) enableResume(hub, session)
    hub.fetchIceServers(session)
    if (isMember(session)) arrive(hub, session)
  },
}
