import { type Static, Type } from 'typebox'
import { CallId, Name, Seq } from '../fields.ts'

/** Server → caller: no device of `name` is connected, and a push is on its way. `ringing` follows as soon as one is here. */
export const ServerWaking = Type.Object({ type: Type.Literal('waking'), callId: CallId, name: Name, seq: Seq })
export type ServerWaking = Static<typeof ServerWaking>
