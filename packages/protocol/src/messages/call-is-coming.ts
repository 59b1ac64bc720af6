import { type Static, Type } from 'typebox'
import { CallId, Name, Sdp, Seq } from '../fields.ts'

/** Server → the agents' devices: a customer calls, or another agent hands a call over. `browser-offer` takes it. */
export const ServerCallIsComing = Type.Object({
  type: Type.Literal('call-is-coming'),
  callId: CallId,
  callerName: Type.Optional(Type.String()),
  /** Digits, with the country's. */
  callerNumber: Type.Optional(Type.String()),
  /** The agent who hands it over. */
  transferredBy: Type.Optional(Name),
  /** In direct mode: the customer's offer; `browser-answer` takes the call. */
  sdp: Type.Optional(Sdp),
  seq: Seq,
})
export type ServerCallIsComing = Static<typeof ServerCallIsComing>
