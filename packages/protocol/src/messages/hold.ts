import { type Static, Type } from 'typebox'
import { CallId, MaybeTarget, Name, Seq } from '../fields.ts'

/** Client → server, in a connected call: this side puts the other one on hold, or takes it back. */
export const ClientHold = Type.Object({
  type: Type.Literal('hold'),
  target: MaybeTarget,
  held: Type.Boolean(),
})
export type ClientHold = Static<typeof ClientHold>

/** Server → the other side. */
export const ServerHold = Type.Object({
  type: Type.Literal('hold'),
  callId: CallId,
  name: Name,
  held: Type.Boolean(),
  seq: Seq,
})
export type ServerHold = Static<typeof ServerHold>
