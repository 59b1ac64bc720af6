import { type Static, Type } from 'typebox'
import { Seq } from '../fields.ts'

/** Client → server: which pushes can wake this device? */
export const ClientPushKeys = Type.Object({ type: Type.Literal('push-keys') })
export type ClientPushKeys = Static<typeof ClientPushKeys>

/** Server → client. `vapid` is the `applicationServerKey` of Web Push (RFC 8292), base64url; absent: no Web Push here. */
export const ServerPushKeys = Type.Object({
  type: Type.Literal('push-keys'),
  vapid: Type.Optional(Type.String()),
  fcm: Type.Boolean(),
  apns: Type.Boolean(),
  seq: Seq,
})
export type ServerPushKeys = Static<typeof ServerPushKeys>
