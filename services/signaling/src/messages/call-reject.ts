import type { Handler } from './handler.ts'

/** The callee declines, on all its devices. */
export const callReject: Handler<'call-reject'> = {
  cost: 1,
  handle(hub, session, { type, target }) {
    const caller = session.realm.find(target)
    const ended = caller && hub.calls.reject(session.id, caller.id)
    if (ended === undefined) hub.refuse(session, 'SIG_NO_CALL', type)
    else hub.endCall(ended)
  },
}
