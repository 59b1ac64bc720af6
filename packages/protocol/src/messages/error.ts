import { type Static, Type } from 'typebox'
import { CallId, Seq } from '../fields.ts'

/** Server → client: a message had no effect. The session goes on unless the socket closes next. */
export const ServerError = Type.Object({
  type: Type.Literal('error'),
  /** Stable; docs/ERRORS.md. */
  code: Type.String(),
  /** A sentence that says what to do. */
  message: Type.String(),
  /** The type of the message that caused it, when it had a known one. */
  about: Type.Optional(Type.String()),
  /** Of a message about a customer's call: which. */
  callId: Type.Optional(CallId),
  seq: Seq,
})
export type ServerError = Static<typeof ServerError>
