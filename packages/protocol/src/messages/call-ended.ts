import { type Static, Type } from 'typebox'
import { CallId, EndReason, Name, Seq } from '../fields.ts'

/** Server → both sides, exactly once per call and side: the call with `name` is over. */
export const ServerCallEnded = Type.Object({
  type: Type.Literal('call-ended'),
  callId: CallId,
  name: Name,
  reason: EndReason,
  seq: Seq,
})
export type ServerCallEnded = Static<typeof ServerCallEnded>
