import type { ServerBody } from '@hairpin/protocol'
import { type Call, peersOf } from '../core/call.ts'
import type { Handler } from './handler.ts'

/** Candidates of one device that are kept for later. A client has some ten of them. */
const maxKept = 64

/** Passes between the two sides of a call and nowhere else. Candidates that trail a finished call are dropped silently. */
export const newIceCandidate: Handler<'new-ice-candidate'> = {
  cost: 1,
  handle(hub, session, { type, target, candidate }) {
    const receiver = target === null ? undefined : session.realm.reach(target)
    const call = receiver && hub.calls.between(session.id, receiver.id)
    if (receiver === undefined || call === undefined) return
    const body: ServerBody = { type, callId: call.id, name: session.name, target: receiver.name, candidate }
    if (!holdsBack(call, session.id)) return hub.sendToDevices(peersOf(call, session.id), body)
    const held = call.held.get(session.id) ?? []
    if (held.length < maxKept) call.held.set(session.id, [...held, body])
  },
}

/**
 * Before the answer the caller's candidates wait for the device that has it: of two that answer at once, the other one would
 * begin its checks too, and its DTLS could reach the caller first. While several devices ring, the caller could not tell
 * whose candidates are whose.
 */
function holdsBack(call: Call, device: string): boolean {
  if (call.answeredBy !== undefined) return false
  return call.caller.device === device || call.ringing.size > 1
}
