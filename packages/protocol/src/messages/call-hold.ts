import { type Static, Type } from 'typebox'
import { CallId } from '../fields.ts'

/** Client → server: the customer hears silence, and the agent nothing, until it is taken back. */
export const ClientCallHold = Type.Object({ type: Type.Literal('call-hold'), callId: CallId, held: Type.Boolean() })
export type ClientCallHold = Static<typeof ClientCallHold>
