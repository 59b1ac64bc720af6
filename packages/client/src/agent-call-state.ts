import type { ServerMessage } from '@hairpin/protocol'

/**
 * A customer calls: incoming ──take──▶ taking ──▶ connected. The business calls: calling ──▶ ringing ──▶ answered. any ──▶ ended.
 * The words are the server's: `connected` when WhatsApp took the answer, `ringing` and `answered` when it says so of the
 * customer's phone.
 */
export type AgentCallState = 'incoming' | 'taking' | 'calling' | 'ringing' | 'answered' | 'connected' | 'ended'

/** The path between this device and the service; `lost`: it is looked for anew. */
export type AgentMediaState = 'none' | 'connecting' | 'connected' | 'lost'

export type AgentEndReason =
  | Extract<ServerMessage, { type: 'call-ended' }>['reason']
  /** Another agent, or another device of this one, has it. */
  | 'answered-elsewhere'
  /** It rings here no more: it is not handed over after all, or its agent has taken another one. */
  | 'ring-stopped'
  /** Another agent took it over. */
  | 'transferred'
  /** The server, or WhatsApp, said no: `code` and `text` say why. */
  | 'refused'
  /** No path to the service was found, twice. */
  | 'connect-failed'
  /** The path, or the server, was lost and did not come back. */
  | 'connection-lost'
  /** The engine could not make or take a session description. */
  | 'negotiation-failed'

export interface AgentCallEnd {
  readonly reason: AgentEndReason
  readonly by: 'local' | 'remote'
  /** Of a refusal: the server's error code. */
  readonly code?: string
  /** Of a call that failed: a word for it, of docs/WHATSAPP.md. */
  readonly cause?: string
  /** A sentence for a person. */
  readonly text?: string
}

/** Digits with the country's; neither is sure to be known. */
export interface Caller {
  readonly name?: string
  readonly number?: string
}
