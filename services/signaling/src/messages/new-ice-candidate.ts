import type { Handler } from './handler.ts'

/** Passes between the two sides of a call and nowhere else. Candidates that trail a finished call are dropped silently. */
export const newIceCandidate: Handler<'new-ice-candidate'> = {
  cost: 1,
  handle(hub, session, { type, target, candidate }) {
    const receiver = target === null ? undefined : hub.presence.find(target)
    const call = receiver && hub.calls.between(session.id, receiver.id)
    if (receiver === undefined || call === undefined) return
    hub.send(receiver, { type, callId: call.id, name: session.name, target: receiver.name, candidate })
  },
}
