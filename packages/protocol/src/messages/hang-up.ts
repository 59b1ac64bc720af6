import { type Static, Type } from 'typebox'
import { CallId, MaybeTarget, Name, Seq } from '../fields.ts'

/** Client → server: end the call. A null or absent `target` means the call that the session is in. */
export const ClientHangUp = Type.Object({
  type: Type.Literal('hang-up'),
  target: Type.Optional(MaybeTarget),
})
export type ClientHangUp = Static<typeof ClientHangUp>

/**
 * Server → the side that did not end the call: the tutorial's form of "it is over". `call-ended` with the reason
 * follows at once; a client that knows `call-ended` ignores this one.
 */
export const ServerHangUp = Type.Object({
  type: Type.Literal('hang-up'),
  callId: CallId,
  name: Name,
  target: Name,
  seq: Seq,
})
export type ServerHangUp = Static<typeof ServerHangUp>
