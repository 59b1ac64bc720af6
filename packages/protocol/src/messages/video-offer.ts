import { type Static, Type } from 'typebox'
import { CallId, Media, Name, Seq, SessionOffer, Target } from '../fields.ts'

/** Client → server: call `target`; in a connected call, renegotiate with the other side. */
export const ClientVideoOffer = Type.Object({
  type: Type.Literal('video-offer'),
  target: Target,
  sdp: SessionOffer,
  media: Type.Optional(Media),
})
export type ClientVideoOffer = Static<typeof ClientVideoOffer>

/** Server → callee. A `callId` that the client already has in a call means renegotiation. */
export const ServerVideoOffer = Type.Object({
  type: Type.Literal('video-offer'),
  callId: CallId,
  name: Name,
  target: Name,
  sdp: SessionOffer,
  media: Type.Optional(Media),
  seq: Seq,
})
export type ServerVideoOffer = Static<typeof ServerVideoOffer>
