import type { Handler } from './handler.ts'

/**
 * Ends the session's call, whatever its state. The tutorial's client sends a null target: then it is the call that
 * the session is in. Without such a call nothing happens: both sides may hang up at once.
 */
export const hangUp: Handler<'hang-up'> = {
  cost: 1,
  handle(hub, session, { target }) {
    const named = target ? session.realm.reach(target) : undefined
    if (target && named === undefined) return
    const ended = hub.calls.hangUp(session.id, named?.id)
    if (ended !== undefined) hub.endCall(ended)
  },
}
