import { type Static, Type } from 'typebox'
import { CallId, Name, Seq } from '../fields.ts'

/** Server → caller: the offer was handed to `name`. */
export const ServerRinging = Type.Object({ type: Type.Literal('ringing'), callId: CallId, name: Name, seq: Seq })
export type ServerRinging = Static<typeof ServerRinging>
