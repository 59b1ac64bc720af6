import type { ServerBody } from '@hairpin/protocol'
import type { Call } from '../core/call.ts'
import type { Handler } from './handler.ts'

/** A new call, or renegotiation within the call of these two. */
export const videoOffer: Handler<'video-offer'> = {
  cost: 2,
  handle(hub, session, { type, target, sdp }, now) {
    const callee = hub.presence.find(target)
    if (callee === session) return hub.refuse(session, 'SIG_CALL_SELF', type)
    if (callee === undefined) {
      const left = hub.calls.hangUp(session.id)
      if (left !== undefined) hub.endCall(left)
      return hub.endUnmade(session, target, 'offline')
    }
    const result = hub.calls.offer(session.id, callee.id, now)
    if ('left' in result && result.left !== undefined) hub.endCall(result.left)
    const offer = (call: Call): ServerBody => ({
      type,
      callId: call.id,
      name: session.name,
      target: callee.name,
      sdp: { type: sdp.type, sdp: sdp.sdp },
    })
    switch (result.kind) {
      case 'ring':
        hub.send(callee, offer(result.call))
        hub.send(session, { type: 'ringing', callId: result.call.id, name: callee.name })
        return
      case 'renegotiate':
        hub.send(callee, offer(result.call))
        return
      case 'busy':
        hub.endUnmade(session, callee.name, 'busy')
        return
      case 'glare':
        hub.refuse(session, 'SIG_GLARE', type)
        return
    }
  },
}
