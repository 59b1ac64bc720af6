import type { Session } from '../core/session.ts'
import type { Handler } from './handler.ts'

/** Lets go of what the client has dealt with. Without a session that can be resumed there is nothing to let go of. */
export const ack: Handler<'ack', Session> = {
  cost: 1,
  handle(_hub, session, { seq }) {
    session.outbox?.ack(seq)
  },
}
