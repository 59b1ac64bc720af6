import { type Static, Type } from 'typebox'
import { CallId, Seq } from '../fields.ts'

/** Server → the former agent's devices: another agent has the call. */
export const ServerCallTransferred = Type.Object({ type: Type.Literal('call-transferred'), callId: CallId, seq: Seq })
export type ServerCallTransferred = Static<typeof ServerCallTransferred>
