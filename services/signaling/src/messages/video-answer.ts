import type { Handler } from './handler.ts'

/** Connects the ringing call, or answers a renegotiation. */
export const videoAnswer: Handler<'video-answer'> = {
  cost: 2,
  handle(hub, session, { type, target, sdp }, now) {
    const caller = hub.presence.find(target)
    const answered = caller && hub.calls.answer(session.id, caller.id, now)
    if (caller === undefined || answered === undefined) return hub.refuse(session, 'SIG_NO_CALL', type)
    hub.send(caller, {
      type,
      callId: answered.call.id,
      name: session.name,
      target: caller.name,
      sdp: { type: sdp.type, sdp: sdp.sdp },
    })
    if (answered.setupMs !== undefined) hub.report({ kind: 'call-answered', setupMs: answered.setupMs })
  },
}
