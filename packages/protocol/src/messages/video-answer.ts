import { type Static, Type } from 'typebox'
import { CallId, Name, Seq, SessionAnswer, Target } from '../fields.ts'

/** Client → server: accept the offer of `target`. */
export const ClientVideoAnswer = Type.Object({
  type: Type.Literal('video-answer'),
  target: Target,
  sdp: SessionAnswer,
})
export type ClientVideoAnswer = Static<typeof ClientVideoAnswer>

/** Server → the one who offered. */
export const ServerVideoAnswer = Type.Object({
  type: Type.Literal('video-answer'),
  callId: CallId,
  name: Name,
  target: Name,
  sdp: SessionAnswer,
  seq: Seq,
})
export type ServerVideoAnswer = Static<typeof ServerVideoAnswer>
