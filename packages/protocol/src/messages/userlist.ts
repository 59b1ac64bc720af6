import { type Static, Type } from 'typebox'
import { Name, Seq } from '../fields.ts'

/** Server → every joined client, after joins, renames and leaves (several in a short time give one list). */
export const ServerUserlist = Type.Object({
  type: Type.Literal('userlist'),
  users: Type.Array(Name),
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  seq: Seq,
})
export type ServerUserlist = Static<typeof ServerUserlist>
