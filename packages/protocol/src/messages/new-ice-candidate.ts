import { type Static, Type } from 'typebox'
import { CallId, Candidate, MaybeTarget, Name, Seq } from '../fields.ts'

/** Client → server, for the other side of the call that the session is in. */
export const ClientIceCandidate = Type.Object({
  type: Type.Literal('new-ice-candidate'),
  target: MaybeTarget,
  candidate: Candidate,
})
export type ClientIceCandidate = Static<typeof ClientIceCandidate>

/** Server → the other side. May arrive before the call is answered, and never before its offer. */
export const ServerIceCandidate = Type.Object({
  type: Type.Literal('new-ice-candidate'),
  callId: CallId,
  name: Name,
  target: Name,
  candidate: Candidate,
  seq: Seq,
})
export type ServerIceCandidate = Static<typeof ServerIceCandidate>
