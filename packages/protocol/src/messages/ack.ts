import { type Static, Type } from 'typebox'
import { Seq } from '../fields.ts'

/** Client → server: everything up to `seq` was dealt with and need not be kept. */
export const ClientAck = Type.Object({ type: Type.Literal('ack'), seq: Seq })
export type ClientAck = Static<typeof ClientAck>

/** Server → client, now and then in a session that can be resumed: so many of its frames arrived and need not be kept. */
export const ServerAck = Type.Object({
  type: Type.Literal('ack'),
  received: Type.Integer({ minimum: 0 }),
  seq: Seq,
})
export type ServerAck = Static<typeof ServerAck>
