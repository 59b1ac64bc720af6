import { closeCodes } from '@hairpin/protocol'
import type { Session } from '../core/session.ts'
import type { Handler } from './handler.ts'

/** Join, or take another name. The name stands as sent unless `rejectusername` says otherwise; `userlist` follows. */
export const username: Handler<'username', Session> = {
  cost: 10,
  handle(hub, session, message, now) {
    if (!hub.options.guests) {
      hub.refuse(session, 'SIG_GUESTS_OFF', message.type)
      hub.close(session, closeCodes.unauthorized, 'no guests', now)
      return
    }
    // The other side addresses the name that it called or was called by.
    if (hub.calls.of(session.id) !== undefined) return hub.refuse(session, 'SIG_IN_CALL', message.type)
    const joins = session.name === undefined
    const name = hub.presence.claim(session, message.name, now)
    if (name !== message.name) hub.send(session, { type: 'rejectusername', id: session.id, name })
    if (!joins) return
    hub.joined(session)
    if (message.resume) hub.enableResume(session)
    hub.fetchIceServers(session)
  },
}
