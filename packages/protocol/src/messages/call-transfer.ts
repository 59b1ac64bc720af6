import { type Static, Type } from 'typebox'
import { CallId, Target } from '../fields.ts'

/** Client → server: hands a call over to another agent, whose devices ring. `call-transferred` or `transfer-declined` follows. */
export const ClientCallTransfer = Type.Object({ type: Type.Literal('call-transfer'), callId: CallId, to: Target })
export type ClientCallTransfer = Static<typeof ClientCallTransfer>
