import type { DeskBody } from '@hairpin/desk'
import type { EndReason } from '../core/call.ts'
import { type CallReason, reasonTexts } from '../core/reasons.ts'

/** What agents are told of a call, and which device carries it. */
export interface Card {
  readonly callId: string
  readonly direction: 'user' | 'business'
  /** The customer; either may be missing. */
  readonly name: string | undefined
  readonly number: string | undefined
  state: 'calling' | 'ringing' | 'answered' | 'connected'
  /** ms since 1970. */
  answeredAt: number | undefined
  held: boolean
  /** Of the agent who has the call. */
  device: string | undefined
  /** The newest `browser-offer` that took the call: an earlier one counts no more. */
  attempt: object | undefined
}

type Who = Pick<Card, 'direction' | 'name' | 'number'>

export function newCard(callId: string, { direction, name, number }: Who): Card {
  return {
    callId,
    direction,
    name,
    number,
    state: 'calling',
    answeredAt: undefined,
    held: false,
    device: undefined,
    attempt: undefined,
  }
}

/** What a person reads in place of a name. */
export function customerOf({ name, number }: Pick<Card, 'name' | 'number'>): string {
  return name || number || 'unknown caller'
}

export function stateBody(card: Card, resumed: boolean): DeskBody {
  const { callId, state, direction, answeredAt, held } = card
  return {
    type: 'call-state',
    callId,
    state,
    direction,
    ...callerOf(card),
    ...(answeredAt === undefined ? {} : { answeredAt }),
    held,
    resumed,
  }
}

export function endBody(card: Card, reason: EndReason, cause: CallReason | undefined): DeskBody {
  const why = cause === undefined ? {} : { cause, text: reasonTexts[cause] }
  return { type: 'call-ended', callId: card.callId, name: customerOf(card), reason, ...why }
}

export function callerOf({ name, number }: Pick<Card, 'name' | 'number'>) {
  return {
    ...(name === undefined ? {} : { callerName: name }),
    ...(number === undefined ? {} : { callerNumber: number }),
  }
}
