import type { ServerBody } from '@hairpin/protocol'
import { inCustomersCall } from '../core/agents.ts'
import { mayCall } from '../core/authentication.ts'
import { type Call, peersOf } from '../core/call.ts'
import { asleep, sleeper, wake } from '../core/waking.ts'
import type { Handler } from './handler.ts'

/** A new call, which rings on all devices of the target, or renegotiation within the call of these two. */
export const videoOffer: Handler<'video-offer'> = {
  cost: 2,
  handle(hub, session, { type, target, sdp, media }, now) {
    const known = session.realm.reach(target)
    if (known === session.user) return hub.refuse(session, 'SIG_CALL_SELF', type)
    if (hub.rooms.of(session.id) !== undefined) return hub.refuse(session, 'SIG_IN_ROOM', type)
    const present = known && hub.calls.between(session.id, known.id)
    if (present === undefined && inCustomersCall(hub, session.user)) return hub.refuse(session, 'SIG_IN_CALL', type)
    // Before anything is said about the target, who need not be here.
    if (present === undefined && !mayCall(session, target)) return hub.refuse(session, 'SIG_CALL_FORBIDDEN', type)
    const callee = known ?? sleeper(session, hub, target)
    if (callee === undefined) {
      const left = hub.calls.hangUp(session.id)
      if (left !== undefined) hub.endCall(left)
      return hub.endUnmade(session, target, 'offline')
    }
    // In a room, or in a customer's call, on whatever device: as good as in another call.
    const inRoom = [...callee.sessions].some(({ id }) => hub.rooms.of(id) !== undefined)
    if (present === undefined && (inRoom || inCustomersCall(hub, callee))) {
      const left = hub.calls.hangUp(session.id)
      if (left !== undefined) hub.endCall(left)
      return hub.endUnmade(session, callee.name, 'busy')
    }
    const sleeps = present === undefined && asleep(hub, session, callee)
    if (sleeps && !session.takeWake(now)) return hub.refuse(session, 'SIG_RATE_LIMITED', type)
    const from = { device: session.id, user: session.user.id, name: session.name }
    const to = { user: callee.id, name: callee.name, devices: [...callee.sessions].map(({ id }) => id) }
    const result = hub.calls.offer(from, to, now)
    if ('left' in result && result.left !== undefined) hub.endCall(result.left)
    const send = (call: Call) => {
      const offer: ServerBody = {
        type,
        callId: call.id,
        name: session.name,
        target: callee.name,
        sdp: { type: sdp.type, sdp: sdp.sdp },
        ...(media === undefined ? {} : { media }),
      }
      if (call.answeredBy === undefined) {
        call.offer = offer
        call.held.delete(session.id)
      }
      hub.sendToDevices(peersOf(call, session.id), offer)
    }
    switch (result.kind) {
      case 'ring':
        send(result.call)
        if (sleeps) wake(hub, session, callee, result.call, media)
        else hub.send(session, { type: 'ringing', callId: result.call.id, name: callee.name })
        return
      case 'renegotiate':
        send(result.call)
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
