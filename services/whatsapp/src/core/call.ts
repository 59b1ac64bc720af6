import type { CallReason } from './reasons.ts'

/** Why a call is over. */
export type EndReason =
  /** The customer hung up, before or after the call was answered. */
  | 'customer-hung-up'
  /** The customer declined a call of the business. */
  | 'rejected'
  | 'agent-hung-up'
  /** All agents that are here declined. */
  | 'declined'
  | 'no-answer'
  /** The agent's page was gone for too long, or its media. */
  | 'agent-lost'
  /** Nothing was heard from WhatsApp for too long, or its media never connected. */
  | 'no-media'
  /** More calls than this service takes at once. */
  | 'busy'
  /** The service was stopped. */
  | 'stopped'
  | 'failed'

export interface Ending {
  readonly reason: EndReason
  /** Of `failed`, and of what Meta ended with an error. */
  readonly cause: CallReason | undefined
}

/** One request to the Graph API. */
export type CallRequest =
  | { readonly action: 'pre_accept' | 'accept'; readonly id: string; readonly sdp: string }
  | { readonly action: 'reject' | 'terminate'; readonly id: string }
  | { readonly action: 'permission'; readonly number: string }
  | { readonly action: 'connect'; readonly number: string; readonly sdp: string }

export type CallAction = CallRequest['action']

/** A call from its first sign to its last request. Times in ms since 1970. */
export interface Call {
  /** Ours: Meta's id of a customer's call, a generated one of a business's. */
  readonly key: string
  /** Meta's; a business's call has none before Meta took it. */
  id: string | undefined
  readonly direction: 'user' | 'business'
  readonly number: string | undefined
  readonly name: string | undefined
  readonly startedAt: number
  /** Our answer or offer, the same in every request. */
  sdp: string | undefined
  /** Under way; a call has one request at a time, so that none overtakes another. */
  request: CallAction | undefined
  /** Meta has, or may have, our SDP before anybody answered. */
  preAccepted: boolean
  /** `accept` was sent: from here on `terminate` ends the call, before it `reject`. */
  acceptSent: boolean
  /** The customer's phone has answered the media of a business's call. */
  joined: boolean
  ringSeen: boolean
  /** The media of the WhatsApp side was asked for. */
  legOpened: boolean
  /** Media may flow. */
  open: boolean
  agent: string | undefined
  /** Since when the page with the agent's media is gone, as far as signaling knows; undefined: it is here. */
  agentLostAt: number | undefined
  /** When the agent's media was last noticed. */
  agentHeardAt: number | undefined
  /** From when on the agent's media is expected. */
  agentDueAt: number | undefined
  /** The agent has put the call on hold: no speech passes, either way. */
  held: boolean
  /** In direct mode: the customer's SDP, an offer or an answer. */
  remoteSdp: string | undefined
  /** Agents whose pages ring; when the call has an agent already, the one that it is handed over to. */
  readonly ringing: Set<string>
  readonly declined: Set<string>
  answeredAt: number | undefined
  /** When media from WhatsApp was last noticed; or from when on it is expected. */
  heardAt: number | undefined
  heard: boolean
  ending: Ending | undefined
  /** Meta knows that the call is over: nothing more is to be sent. */
  overAtMeta: boolean
  /** What the driver was last told; Infinity: never. */
  wakeAt: number
}

export interface CallRecord {
  readonly key: string
  readonly id: string | undefined
  readonly direction: 'user' | 'business'
  readonly number: string | undefined
  readonly name: string | undefined
  readonly agent: string | undefined
  readonly startedAt: number
  readonly answeredAt: number | undefined
  readonly endedAt: number
  readonly ending: Ending
}

/** What an agent's page is told; each names the call. */
export type AgentEvent =
  | {
      readonly type: 'call-is-coming'
      readonly callerName: string | undefined
      readonly callerNumber: string | undefined
      /** The agent who hands the call over, if one does. */
      readonly transferredBy: string | undefined
      /** In direct mode: the customer's offer, which `directAnswer` answers. */
      readonly sdp: string | undefined
    }
  /** In direct mode, of a call that the agent makes: the customer's answer to `directOffer`. May come more than once. */
  | { readonly type: 'browser-answer'; readonly sdp: string }
  | { readonly type: 'answered-elsewhere' }
  /** This page rings no more: its agent has taken another call, or this one is not handed over after all. */
  | { readonly type: 'ring-stopped' }
  /** `connected`: Meta took the accept. `ringing` and `answered`: of the customer's phone. */
  | { readonly type: 'call-state'; readonly state: 'calling' | 'ringing' | 'answered' | 'connected' }
  /** Another agent has taken over the call. */
  | { readonly type: 'transferred' }
  /** The other agent will not take it over, or has gone: the call stays where it is. */
  | { readonly type: 'transfer-declined' }
  /** The page is back in its call. */
  | { readonly type: 'call-resumed'; readonly held: boolean }
  | { readonly type: 'call-ended'; readonly reason: EndReason; readonly cause: CallReason | undefined }

/** What the machine wants done; the driver does it, in order. */
export type CallOutput =
  /** Makes the WhatsApp side's media: an answer to `offer`, or an offer when there is none. Then `described` or `legLost`. */
  | { readonly do: 'open-leg'; readonly call: string; readonly offer: string | undefined }
  /** Meta has our answer: the leg may connect. */
  | { readonly do: 'start-leg'; readonly call: string }
  | { readonly do: 'join-leg'; readonly call: string; readonly answer: string }
  | { readonly do: 'close-leg'; readonly call: string }
  /** From now on RTP flows between the WhatsApp side and this agent; without one, as on hold, both hear RTCP alone. */
  | { readonly do: 'media'; readonly call: string; readonly agent: string | undefined }
  /** Every request is followed by `result`. */
  | { readonly do: 'request'; readonly call: string; readonly request: CallRequest }
  /** `wake(call)` at that time instead of the last one named; Infinity: not at all. */
  | { readonly do: 'wake'; readonly call: string; readonly at: number }
  | { readonly do: 'tell'; readonly agent: string; readonly call: string; readonly event: AgentEvent }
  | { readonly do: 'record'; readonly record: CallRecord }
  /** Meta holds a call of this id, or no more: whoever finds one left behind by a service that was killed has to end it. */
  | { readonly do: 'note'; readonly id: string; readonly alive: boolean }

/** What became of a request. */
export type RequestResult =
  /** `id`: of `connect`. */
  | { readonly ok: true; readonly id?: string }
  /** `uncertain`: Meta may have done it all the same. */
  | { readonly ok: false; readonly reason: CallReason; readonly uncertain: boolean }

export interface CallTimes {
  /** ms that a customer's call rings; Meta ends it by itself after 30 to 60 s. */
  readonly ring: number
  /** ms that a call of the business rings. */
  readonly ringOut: number
  /** ms without media at the beginning, and later. */
  readonly firstSilence: number
  readonly silence: number
  /** ms that an agent may be gone in a call: neither signaling nor media hears of it. */
  readonly agentGrace: number
  /** ms without media of an agent whom signaling hears of. */
  readonly agentSilence: number
}

export const defaultTimes: CallTimes = {
  ring: 45_000,
  ringOut: 60_000,
  firstSilence: 20_000,
  silence: 30_000,
  agentGrace: 20_000,
  agentSilence: 40_000,
}

export function newCall(
  key: string,
  direction: 'user' | 'business',
  who: { readonly number: string | undefined; readonly name: string | undefined },
  now: number,
): Call {
  return {
    key,
    id: direction === 'user' ? key : undefined,
    direction,
    number: who.number,
    name: who.name,
    startedAt: now,
    sdp: undefined,
    request: undefined,
    preAccepted: false,
    acceptSent: false,
    joined: false,
    ringSeen: false,
    legOpened: false,
    open: false,
    agent: undefined,
    agentLostAt: undefined,
    agentHeardAt: undefined,
    agentDueAt: undefined,
    held: false,
    remoteSdp: undefined,
    ringing: new Set(),
    declined: new Set(),
    answeredAt: undefined,
    heardAt: undefined,
    heard: false,
    ending: undefined,
    overAtMeta: false,
    wakeAt: Number.POSITIVE_INFINITY,
  }
}

/** When time alone ends the call, and why; Infinity: it does not. */
export function deadlineOf(call: Call, times: CallTimes): { readonly at: number; readonly reason: EndReason } {
  const deadlines: { at: number; reason: EndReason }[] = [{ at: Number.POSITIVE_INFINITY, reason: 'no-answer' }]
  if (call.ending) return deadlines[0]!
  if (call.agentLostAt !== undefined) {
    const seen = Math.max(call.agentLostAt, call.agentHeardAt ?? 0)
    deadlines.push({ at: seen + times.agentGrace, reason: 'agent-lost' })
  } else if (call.heardAt !== undefined && call.agentDueAt !== undefined && !call.held) {
    // On hold a browser without a microphone may have nothing to say. Any other reports every few seconds.
    const seen = Math.max(call.agentDueAt, call.agentHeardAt ?? 0)
    deadlines.push({ at: seen + times.agentSilence, reason: 'agent-lost' })
  }
  if (call.heardAt !== undefined)
    deadlines.push({ at: call.heardAt + (call.heard ? times.silence : times.firstSilence), reason: 'no-media' })
  else if (!call.acceptSent && call.answeredAt === undefined)
    deadlines.push({
      at: call.startedAt + (call.direction === 'user' ? times.ring : times.ringOut),
      reason: 'no-answer',
    })
  return deadlines.reduce((first, other) => (other.at < first.at ? other : first))
}

/** Media is due from now on. In direct mode Meta alone hears whether there is any. */
export function expectMedia(call: Call, now: number): void {
  if (!call.legOpened) return
  call.heardAt = now
  call.agentDueAt = now
}

export function recordOf(call: Call, ending: Ending, endedAt: number): CallRecord {
  const { key, id, direction, number, name, agent, startedAt, answeredAt } = call
  return { key, id, direction, number, name, agent, startedAt, answeredAt, endedAt, ending }
}
