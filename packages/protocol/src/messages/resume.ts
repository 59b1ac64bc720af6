import { type Static, Type } from 'typebox'
import { ResumeToken } from '../fields.ts'

/**
 * Client → server, first on a new socket: go on with the session of this token. `seq` is the last one that was dealt with.
 * With `reload` the client has lost all else, as a page that is loaded anew: what rings for it is sent once more.
 */
export const ClientResume = Type.Object({
  type: Type.Literal('resume'),
  token: ResumeToken,
  seq: Type.Integer({ minimum: 0 }),
  reload: Type.Optional(Type.Boolean()),
})
export type ClientResume = Static<typeof ClientResume>
