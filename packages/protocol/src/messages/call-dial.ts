import { type Static, Type } from 'typebox'
import { Sdp } from '../fields.ts'

/** Client → server: calls a customer who has allowed it. `call-state` with state `calling` names the call. */
export const ClientCallDial = Type.Object({
  type: Type.Literal('call-dial'),
  /** Digits, with the country's; `+`, blanks and hyphens may be among them. */
  number: Type.String({ pattern: '^[+\\d][\\d ()-]{4,30}$' }),
  /** In direct mode: the browser's offer, with all candidates. */
  sdp: Type.Optional(Sdp),
})
export type ClientCallDial = Static<typeof ClientCallDial>
