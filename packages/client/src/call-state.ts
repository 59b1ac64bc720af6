import type { EndReason } from '@hairpin/protocol'

/**
 * incoming ──accept──▶ connecting ──▶ connected ⇄ reconnecting
 * calling ──▶ (waking ──▶) ringing ──answer──▶ connecting          any ──▶ ended
 */
export type CallState =
  | 'calling'
  | 'waking'
  | 'ringing'
  | 'incoming'
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  | 'ended'

/** The protocol's reasons, the same word for both sides, and what only this side can know. */
export type CallEndReason =
  | EndReason
  /** Another device of this user took the call. */
  | 'answered-elsewhere'
  /** No path between the two was found. */
  | 'connect-failed'
  /** The path was lost and did not come back, or the server went before the call stood. */
  | 'connection-lost'
  /** The two engines could not agree on a session description. */
  | 'negotiation-failed'
  /** The server did not take the call; its error says why. */
  | 'refused'

export interface CallEnd {
  readonly reason: CallEndReason
  readonly by: 'local' | 'remote'
}
