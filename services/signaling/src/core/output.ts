import type { DeskRequest } from '@hairpin/desk'
import type { PushEndpoint, SignalingErrorCode } from '@hairpin/protocol'
import type { PushChange } from './push-book.ts'

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

/** What became of a `resume`, or of the time of grace. */
export type ResumeResult = 'resumed' | 'taken-over' | 'unknown' | 'gap' | 'expired'

export type Report =
  | { readonly kind: 'received'; readonly type: string }
  | { readonly kind: 'error'; readonly code: SignalingErrorCode }
  | { readonly kind: 'call-answered'; readonly setupMs: number }
  | { readonly kind: 'call-ended'; readonly outcome: CallOutcome }
  | { readonly kind: 'resume'; readonly result: ResumeResult }

/** A message that a client made up and the server passes on; the sender's name is the server's word. */
export type CustomBody = { readonly type: string; readonly name: string; readonly target: string }

/** What a push tells the device, as JSON. */
export interface PushBody {
  readonly type: 'incoming-call' | 'missed-call'
  readonly callId: string
  /** The caller, and what to show instead. */
  readonly name: string
  readonly label?: string
  /** Who is called. */
  readonly target: string
  /** ms since 1970, when the call began. */
  readonly date: number
  readonly media?: string
}

/** What the service that brings customers' calls is told: `Desk`'s methods. */
export type DeskOutput =
  | {
      readonly do: 'desk'
      readonly act: 'arrive' | 'appear' | 'disappear'
      readonly agent: string
      readonly device: string
    }
  | { readonly do: 'desk'; readonly act: 'leave'; readonly agent: string }
  | {
      readonly do: 'desk'
      readonly act: 'request'
      readonly agent: string
      readonly device: string
      readonly request: DeskRequest
    }

/** What the core wants done; a driver does it, in order. */
export type Output =
  /** `frameOf(text, seq)` is the frame. */
  | {
      readonly do: 'send'
      readonly connection: string
      readonly type: string
      readonly text: string
      readonly seq: number
    }
  | { readonly do: 'close'; readonly connection: string; readonly code: number; readonly reason: string }
  /** The session that `closed` said was kept needs no place any more: it is over, or has a socket again. */
  | { readonly do: 'release'; readonly session: string }
  | { readonly do: 'fetch-ice-servers'; readonly session: string; readonly app: string; readonly user: string }
  | { readonly do: 'verify-token'; readonly session: string; readonly token: string }
  | { readonly do: 'push'; readonly endpoint: PushEndpoint; readonly body: PushBody; readonly ttlMs: number }
  /** To be kept for the next start. */
  | { readonly do: 'remember'; readonly change: PushChange }
  | { readonly do: 'report'; readonly report: Report }
  | DeskOutput
