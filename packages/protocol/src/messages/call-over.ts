import { type Static, Type } from 'typebox'
import { CallId } from '../fields.ts'

/** Client → server: the agent hangs up, in whatever state the call is. `call-ended` follows. */
export const ClientCallOver = Type.Object({ type: Type.Literal('call-over'), callId: CallId })
export type ClientCallOver = Static<typeof ClientCallOver>
