import { type Static, Type } from 'typebox'
import { AgentEndReason, CallId, EndReason, Name, Seq } from '../fields.ts'

/**
 * Server → both sides, exactly once per call and side: the call with `name` is over. Of a customer's call `name` is the
 * customer's, else the number, else `unknown caller`.
 */
export const ServerCallEnded = Type.Object({
  type: Type.Literal('call-ended'),
  callId: CallId,
  name: Name,
  reason: Type.Union([EndReason, AgentEndReason]),
  /** Of a customer's call that failed: a word for it (docs/WHATSAPP.md), and the sentence for a person. */
  cause: Type.Optional(Type.String()),
  text: Type.Optional(Type.String()),
  seq: Seq,
})
export type ServerCallEnded = Static<typeof ServerCallEnded>
