import { type Static, Type } from 'typebox'
import { CallId } from '../fields.ts'

/** Client → server: this agent does not take the call that rings here. The others ring on. */
export const ClientCallDecline = Type.Object({ type: Type.Literal('call-decline'), callId: CallId })
export type ClientCallDecline = Static<typeof ClientCallDecline>
