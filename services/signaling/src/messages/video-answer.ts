import { inCustomersCall } from '../core/agents.ts'
import { peersOf } from '../core/call.ts'
import type { Handler } from './handler.ts'

/** Connects the ringing call, for the first device that answers, or answers a renegotiation. */
export const videoAnswer: Handler<'video-answer'> = {
  cost: 2,
  handle(hub, session, { type, target, sdp }, now) {
    const other = session.realm.find(target)
    const present = other && hub.calls.between(session.id, other.id)
    if (present?.ringing.has(session.id) && inCustomersCall(hub, session.user))
      return hub.refuse(session, 'SIG_IN_CALL', type)
    const answered = other && hub.calls.answer(session.id, other.id, now)
    if (other === undefined || answered === undefined) return hub.refuse(session, 'SIG_NO_CALL', type)
    const { call, setupMs, elsewhere } = answered
    const peers = peersOf(call, session.id)
    hub.sendToDevices(peers, {
      type,
      callId: call.id,
      name: session.name,
      target: other.name,
      sdp: { type: sdp.type, sdp: sdp.sdp },
    })
    if (setupMs === undefined) return
    for (const candidate of call.held.get(session.id) ?? []) hub.sendToDevices(peers, candidate)
    for (const candidate of call.held.get(call.caller.device) ?? []) hub.send(session, candidate)
    call.held.clear()
    hub.sendToDevices(elsewhere, { type: 'answered-elsewhere', callId: call.id, name: call.caller.name })
    hub.report({ kind: 'call-answered', setupMs })
  },
}
