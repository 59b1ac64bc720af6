import type { Handler } from './handler.ts'
import { connectedCall } from './in-call.ts'

/** Tells the other side that it is on hold, or no more. */
export const hold: Handler<'hold'> = {
  cost: 1,
  handle(hub, session, { type, target, held }) {
    const connected = connectedCall(hub, session, target)
    if (connected === undefined) return
    const { call, peers } = connected
    hub.sendToDevices(peers, { type, callId: call.id, name: session.name, held })
  },
}
