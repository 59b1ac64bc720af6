import { type Static, Type } from 'typebox'
import { CallId, Name, ResumeToken } from '../fields.ts'

/**
 * Server → client: the session goes on. What was missed follows, from `seq` + 1 on, then a `userlist`. This message and
 * the `id` of the new socket have no number of their own: `seq` repeats what the client said.
 */
export const ServerResumed = Type.Object({
  type: Type.Literal('resumed'),
  id: Type.String(),
  name: Name,
  /** The token of the next resume; the former one ends with the client's next message. */
  token: ResumeToken,
  /** Seconds. */
  grace: Type.Number({ minimum: 0 }),
  /** How many frames the server has of the client, counted from the one after its `username`: the rest is to be sent again. */
  received: Type.Integer({ minimum: 0 }),
  /** The call that the session is in. */
  call: Type.Optional(
    Type.Object({
      callId: CallId,
      name: Name,
      state: Type.Union([Type.Literal('ringing'), Type.Literal('connected')]),
      /** The other side called. */
      incoming: Type.Boolean(),
    }),
  ),
  seq: Type.Integer({ minimum: 0 }),
})
export type ServerResumed = Static<typeof ServerResumed>
