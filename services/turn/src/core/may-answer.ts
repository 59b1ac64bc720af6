/** Whether a sender whom nobody has authenticated gets an answer: RFC 8489 section 16.1.2's concern with reflection. */
import type { ServerState } from './state.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Endpoint, Listener } from './types.ts'

/** What the five-tuple of a live allocation has for itself, a second and at once. */
const OWN_RATE = 5
const OWN_BURST = 20

/**
 * Streams need no budget: who holds one has shown that the address is its own. On UDP an allocation's five-tuple has a
 * small bucket of its own first, so that a flood from the neighbourhood cannot keep its client from a fresh nonce (and a
 * flood that forges the very five-tuple gets no more out of it); everyone else has that of the prefix.
 */
export function mayAnswer(
  state: ServerState,
  listener: Listener,
  from: Endpoint,
  kind: 'challenge' | 'binding',
  now: number,
): boolean {
  const { budget } = state.options
  if (!budget || listener.transport !== 'udp') return true
  const allocation = state.allocations.find(listener, from.address, from.port)
  if (allocation?.state === 'live') {
    allocation.answers ??= new TokenBucket(OWN_RATE, OWN_BURST, now)
    if (allocation.answers.take(1, now)) return true
  }
  return budget.take(from, kind, now)
}
