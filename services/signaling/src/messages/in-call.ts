import { type Call, peersOf } from '../core/call.ts'
import type { Hub } from '../core/hub.ts'
import type { Member } from '../core/session.ts'

/**
 * The connected call that a message about its state is for, and who hears it. A null target means the call that the
 * session is in. Without such a call there is nothing to do: the message may trail a call that is over.
 */
export function connectedCall(
  hub: Hub,
  session: Member,
  target: string | null,
): { call: Call; peers: readonly string[] } | undefined {
  const other = target ? session.realm.find(target) : undefined
  const call = target ? other && hub.calls.between(session.id, other.id) : hub.calls.of(session.id)
  return call?.answeredBy === undefined ? undefined : { call, peers: peersOf(call, session.id) }
}
