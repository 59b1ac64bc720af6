import type { Handler } from './handler.ts'

/** This device takes customers' calls from now on, or no more. */
export const agent: Handler<'agent'> = {
  cost: 5,
  handle(hub, session, { type }) {
    hub.refuse(session, 'SIG_NO_DESK', type)
  },
}
