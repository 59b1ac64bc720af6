import { type Static, Type } from 'typebox'
import { ResumeToken, Seq } from '../fields.ts'

/**
 * Server → client that joined with `resume: true`: this session outlives its socket. After a loss, `resume` with
 * `token` over a new socket within `grace` seconds goes on with it.
 */
export const ServerSession = Type.Object({
  type: Type.Literal('session'),
  id: Type.String(),
  token: ResumeToken,
  /** Seconds. */
  grace: Type.Number({ minimum: 0 }),
  seq: Seq,
})
export type ServerSession = Static<typeof ServerSession>
