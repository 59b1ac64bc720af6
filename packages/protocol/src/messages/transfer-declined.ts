import { type Static, Type } from 'typebox'
import { CallId, Seq } from '../fields.ts'

/** Server → the agent's devices: the other agent does not take the call over; it stays here. */
export const ServerTransferDeclined = Type.Object({ type: Type.Literal('transfer-declined'), callId: CallId, seq: Seq })
export type ServerTransferDeclined = Static<typeof ServerTransferDeclined>
