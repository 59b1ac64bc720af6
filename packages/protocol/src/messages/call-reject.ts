import { type Static, Type } from 'typebox'
import { Target } from '../fields.ts'

/** Client → server: decline the ringing call of `target`. Both sides get `call-ended` with reason `rejected`. */
export const ClientCallReject = Type.Object({ type: Type.Literal('call-reject'), target: Target })
export type ClientCallReject = Static<typeof ClientCallReject>
