import { type Static, Type } from 'typebox'
import { Seq } from '../fields.ts'

/** Server → client, first of all: the session's own id. The client answers with `username`. */
export const ServerId = Type.Object({ type: Type.Literal('id'), id: Type.String(), seq: Seq })
export type ServerId = Static<typeof ServerId>
