import type { MediaWatch } from './media/media-watch.ts'

export interface SimulatedCall {
  readonly id: string
  readonly direction: 'USER_INITIATED' | 'BUSINESS_INITIATED'
  /** The customer's. */
  readonly number: string
  readonly name: string | undefined
  /** ms since 1970. */
  readonly startedAt: number
  /** What the business sent, in order. */
  readonly actions: string[]
  /** The last one that the business sent. */
  sdp: string | undefined
  opaque: string | undefined
  preAccepted: boolean
  /** `accept` was carried out. */
  accepted: boolean
  answeredAt: number | undefined
  /** The business may send media: its `accept` was answered with 200, or the call is its own. */
  mediaAllowed: boolean
  ended: boolean
  /** The code of the terminate webhook, if it had one. */
  endCode: number | undefined
  media: MediaWatch | undefined
  /** The connection was lost or closed. */
  mediaLost: boolean
  timer: NodeJS.Timeout | undefined
}

/** A rule that the business broke; Meta would not always tell. */
export interface Violation {
  readonly callId: string | undefined
  /** Stable: `media-before-accept`, `ssrc`, `refused-accept` and so on. */
  readonly rule: string
  readonly detail: string
}

/** What happens at the simulated side, for who shows it or acts on it. */
export type SimulatorEvent =
  | { readonly type: 'request'; readonly kind: string; readonly status: number; readonly code: number | undefined }
  | { readonly type: 'pre-accepted' | 'answered'; readonly call: SimulatedCall }
  | { readonly type: 'business-calls'; readonly call: SimulatedCall }
  | { readonly type: 'ended'; readonly call: SimulatedCall }
  | { readonly type: 'permission-asked'; readonly number: string; readonly text: string }
  | { readonly type: 'violation'; readonly violation: Violation }
