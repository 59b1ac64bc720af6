import { type Static, Type } from 'typebox'
import { CallId, Media, Name, Seq } from '../fields.ts'

/** Server → the first device of a user that comes after a call for which it was to be woken, and which nobody heard ring. */
export const ServerMissedCall = Type.Object({
  type: Type.Literal('missed-call'),
  callId: CallId,
  name: Name,
  /** ms since 1970, when the call began. */
  date: Type.Integer(),
  media: Type.Optional(Media),
  seq: Seq,
})
export type ServerMissedCall = Static<typeof ServerMissedCall>
