import { type Static, Type } from 'typebox'
import { CallId, MaybeTarget, Name, Seq } from '../fields.ts'

/** Client → server, in a connected call: what this side does not send at present. True: muted. */
export const ClientMute = Type.Object({
  type: Type.Literal('mute'),
  target: MaybeTarget,
  audio: Type.Boolean(),
  video: Type.Boolean(),
})
export type ClientMute = Static<typeof ClientMute>

/** Server → the other side. */
export const ServerMute = Type.Object({
  type: Type.Literal('mute'),
  callId: CallId,
  name: Name,
  audio: Type.Boolean(),
  video: Type.Boolean(),
  seq: Seq,
})
export type ServerMute = Static<typeof ServerMute>
