import { type Static, Type } from 'typebox'
import { CallId, Seq } from '../fields.ts'

/** Server → devices that rang: no more; the call is not handed over after all, or its agent has taken another one. */
export const ServerRingStopped = Type.Object({ type: Type.Literal('ring-stopped'), callId: CallId, seq: Seq })
export type ServerRingStopped = Static<typeof ServerRingStopped>
