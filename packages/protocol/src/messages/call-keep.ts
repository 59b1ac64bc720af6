import { type Static, Type } from 'typebox'
import { CallId } from '../fields.ts'

/** Client → server: ends a `call-transfer` that nobody has answered yet. */
export const ClientCallKeep = Type.Object({ type: Type.Literal('call-keep'), callId: CallId })
export type ClientCallKeep = Static<typeof ClientCallKeep>
