import { inCustomersCall, objection, takeCalls, takeNoCalls } from '../core/agents.ts'
import type { Handler } from './handler.ts'

/** This device takes customers' calls from now on, or no more. An agent's last one stays to the end of the agent's call. */
export const agent: Handler<'agent'> = {
  cost: 5,
  handle(hub, session, { type, available }) {
    const code = objection(hub, session)
    if (code !== undefined) hub.refuse(session, code, type)
    else if (available) takeCalls(hub, session)
    else if (hub.desk.isLast(session.id) && inCustomersCall(hub, session.user)) hub.refuse(session, 'SIG_IN_CALL', type)
    else takeNoCalls(hub, session)
  },
}
