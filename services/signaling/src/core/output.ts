import type { ServerBody, SignalingErrorCode } from '@hairpin/protocol'

/** How a call went, for the metrics: bounded, and finer than the reason that clients see. */
export type CallOutcome =
  | 'completed'
  | 'dropped'
  | 'cancelled'
  | 'rejected'
  | 'busy'
  | 'offline'
  | 'no-answer'
  | 'abandoned'

export type Report =
  | { readonly kind: 'received'; readonly type: string }
  | { readonly kind: 'error'; readonly code: SignalingErrorCode }
  | { readonly kind: 'call-answered'; readonly setupMs: number }
  | { readonly kind: 'call-ended'; readonly outcome: CallOutcome }

/** A message that a client made up and the server passes on; the sender's name is the server's word. */
export type CustomBody = { readonly type: string; readonly name: string; readonly target: string }

/** What the core wants done; a driver does it, in order. */
export type Output =
  | { readonly do: 'send'; readonly to: string; readonly message: ServerBody | CustomBody; readonly seq: number }
  | { readonly do: 'close'; readonly session: string; readonly code: number; readonly reason: string }
  | { readonly do: 'fetch-ice-servers'; readonly session: string; readonly user: string }
  | { readonly do: 'report'; readonly report: Report }
