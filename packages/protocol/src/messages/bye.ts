import { type Static, Type } from 'typebox'
import { Seq } from '../fields.ts'

/** Server → client, last message before the server stops and closes with 1001. */
export const ServerBye = Type.Object({ type: Type.Literal('bye'), reason: Type.Literal('shutdown'), seq: Seq })
export type ServerBye = Static<typeof ServerBye>
