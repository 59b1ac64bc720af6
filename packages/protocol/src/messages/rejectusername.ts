import { type Static, Type } from 'typebox'
import { Name, Seq } from '../fields.ts'

/** Server → client: the wanted name is taken or breaks the rules; the session goes by `name` instead. */
export const ServerRejectUsername = Type.Object({
  type: Type.Literal('rejectusername'),
  id: Type.String(),
  name: Name,
  seq: Seq,
})
export type ServerRejectUsername = Static<typeof ServerRejectUsername>
