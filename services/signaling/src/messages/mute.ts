import type { Handler } from './handler.ts'
import { connectedCall } from './in-call.ts'

/** Tells the other side what this one does not send at present. */
export const mute: Handler<'mute'> = {
  cost: 1,
  handle(hub, session, { type, target, audio, video }) {
    const connected = connectedCall(hub, session, target)
    if (connected === undefined) return
    const { call, peers } = connected
    hub.sendToDevices(peers, { type, callId: call.id, name: session.name, audio, video })
  },
}
