import { type Static, Type } from 'typebox'
import { limits } from '../constants.ts'
import { SignalingToken } from '../fields.ts'

/**
 * Client → server: join under a name, or change it. The name stands as sent unless `rejectusername` follows.
 * The tutorial also sends `id` and `date`; the server looks at neither.
 */
export const ClientUsername = Type.Object({
  type: Type.Literal('username'),
  name: Type.String({ maxLength: limits.nameBytes }),
  /** Who this client is: then the name is the token's user, whatever `name` says. */
  token: Type.Optional(SignalingToken),
  /** At the join: this client can resume and sends `ack`; `session` follows. */
  resume: Type.Optional(Type.Boolean()),
})
export type ClientUsername = Static<typeof ClientUsername>
