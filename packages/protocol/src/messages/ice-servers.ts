import { type Static, Type } from 'typebox'
import { Seq } from '../fields.ts'

/** One entry of `RTCConfiguration.iceServers`. */
export const IceServer = Type.Object({
  urls: Type.Array(Type.String()),
  username: Type.Optional(Type.String()),
  credential: Type.Optional(Type.String()),
})
export type IceServer = Static<typeof IceServer>

/** Client → server: a fresh set, please (the last one nears `expiresAt`). */
export const ClientIceServers = Type.Object({ type: Type.Literal('ice-servers') })
export type ClientIceServers = Static<typeof ClientIceServers>

/** Server → client, after the name is accepted and when asked. `ttl` in seconds, `expiresAt` as ISO 8601. */
export const ServerIceServers = Type.Object({
  type: Type.Literal('ice-servers'),
  iceServers: Type.Array(IceServer),
  ttl: Type.Integer({ minimum: 0 }),
  expiresAt: Type.String(),
  seq: Seq,
})
export type ServerIceServers = Static<typeof ServerIceServers>
