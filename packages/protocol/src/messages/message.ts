import { type Static, Type } from 'typebox'
import { limits } from '../constants.ts'
import { MaybeTarget, Name, Seq } from '../fields.ts'

const text = Type.String({ maxLength: limits.textLength })

/** Client → server: text for everyone, or for `target` alone. */
export const ClientText = Type.Object({
  type: Type.Literal('message'),
  text,
  target: Type.Optional(MaybeTarget),
})
export type ClientText = Static<typeof ClientText>

/** Server → everyone, or the two of a private text; the sender gets it too. `date` is the server's, in ms. */
export const ServerText = Type.Object({
  type: Type.Literal('message'),
  name: Name,
  text: Type.String(),
  date: Type.Integer(),
  target: Type.Optional(Name),
  seq: Seq,
})
export type ServerText = Static<typeof ServerText>
