import { type Static, Type } from 'typebox'
import { CallId, Name, Seq } from '../fields.ts'

/** Server → the callee's other devices: one of them has answered `name`; for this one the call is over, without a `call-ended`. */
export const ServerAnsweredElsewhere = Type.Object({
  type: Type.Literal('answered-elsewhere'),
  callId: CallId,
  name: Name,
  seq: Seq,
})
export type ServerAnsweredElsewhere = Static<typeof ServerAnsweredElsewhere>
