import type { Handler } from './handler.ts'

/** A fresh set of servers and credentials, because the last one runs out. */
export const iceServers: Handler<'ice-servers'> = {
  cost: 10,
  handle(hub, session) {
    hub.fetchIceServers(session)
  },
}
