import { type Static, Type } from 'typebox'
import { limits } from '../constants.ts'
import { MaybeTarget, Name, RoomName, Seq } from '../fields.ts'

const text = Type.String({ maxLength: limits.textLength })

/** Client → server: text for everyone, for `target` alone, or for the `room` that the client is in. */
export const ClientText = Type.Object({
  type: Type.Literal('message'),
  text,
  target: Type.Optional(MaybeTarget),
  room: Type.Optional(RoomName),
})
export type ClientText = Static<typeof ClientText>

/** Server → everyone, or the two of a private text, or the members of `room`; the sender gets it too. `date` is the server's, in ms. */
export const ServerText = Type.Object({
  type: Type.Literal('message'),
  name: Name,
  text: Type.String(),
  date: Type.Integer(),
  target: Type.Optional(Name),
  room: Type.Optional(RoomName),
  seq: Seq,
})
export type ServerText = Static<typeof ServerText>
