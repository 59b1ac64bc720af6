import { inCustomersCall, objection, takeCalls, takeNoCalls } from '../core/agents.ts'
import type { Handler } from './handler.ts'

/** This device takes customers' calls from now on, or no more. A call goes on to its end first: without a device it would be lost. */
export const agent: Handler<'agent'> = {
  cost: 5,
  handle(hub, session, { type, available }) {
    const code = objection(hub, session)
    if (code !== undefined) hub.refuse(session, code, type)
    else if (available) takeCalls(hub, session)
    else if (session.takesCalls && inCustomersCall(hub, session.user)) hub.refuse(session, 'SIG_IN_CALL', type)
    else takeNoCalls(hub, session)
  },
}
