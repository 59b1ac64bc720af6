import { type Static, Type } from 'typebox'
import { CallId, Sdp, Seq } from '../fields.ts'

/** Client → server, in direct mode: takes a call that rings here, by an answer to the customer's offer, with all candidates. */
export const ClientBrowserAnswer = Type.Object({
  type: Type.Literal('browser-answer'),
  callId: CallId,
  sdp: Sdp,
})
export type ClientBrowserAnswer = Static<typeof ClientBrowserAnswer>

/** Server → the device: the answer to its offer, whole. */
export const ServerBrowserAnswer = Type.Object({
  type: Type.Literal('browser-answer'),
  callId: CallId,
  sdp: Sdp,
  seq: Seq,
})
export type ServerBrowserAnswer = Static<typeof ServerBrowserAnswer>
