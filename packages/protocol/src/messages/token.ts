import { type Static, Type } from 'typebox'
import { Seq, SignalingToken } from '../fields.ts'

/** Client → server: a fresh token of the same user, before the last one ends. */
export const ClientToken = Type.Object({ type: Type.Literal('token'), token: SignalingToken })
export type ClientToken = Static<typeof ClientToken>

/** Server → client: the session stands until `expiresAt` (ISO 8601). With `renew` that is soon: send a fresh token. */
export const ServerToken = Type.Object({
  type: Type.Literal('token'),
  expiresAt: Type.String(),
  renew: Type.Boolean(),
  seq: Seq,
})
export type ServerToken = Static<typeof ServerToken>
