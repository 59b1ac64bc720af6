import { type Static, Type } from 'typebox'
import { PushAddress, Seq } from '../fields.ts'

/** Server → client: pushes go there from now on, until the push service says that it is gone. */
export const ServerPushRegistered = Type.Object({
  type: Type.Literal('push-registered'),
  address: PushAddress,
  seq: Seq,
})
export type ServerPushRegistered = Static<typeof ServerPushRegistered>
