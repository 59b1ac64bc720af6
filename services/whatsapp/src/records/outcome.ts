import type { CallRecord, EndReason } from '../core/call.ts'

/** How a call went, in a word: what records and metrics say. */
export type Outcome =
  /** Answered, and hung up by either side. */
  | 'completed'
  /** The customer hung up before an answer. */
  | 'abandoned'
  /** The agent hung up before an answer. */
  | 'cancelled'
  | Exclude<EndReason, 'customer-hung-up' | 'agent-hung-up'>

export const outcomes: readonly Outcome[] = [
  'completed',
  'abandoned',
  'cancelled',
  'rejected',
  'declined',
  'no-answer',
  'agent-lost',
  'no-media',
  'busy',
  'stopped',
  'failed',
]

export function outcomeOf({ ending, answeredAt }: Pick<CallRecord, 'ending' | 'answeredAt'>): Outcome {
  const { reason } = ending
  if (reason !== 'customer-hung-up' && reason !== 'agent-hung-up') return reason
  if (answeredAt !== undefined) return 'completed'
  return reason === 'customer-hung-up' ? 'abandoned' : 'cancelled'
}
