import { type Static, Type } from 'typebox'
import { MemberId, Name, RoomName, Seq } from '../fields.ts'

/** Server → those who stay. */
export const ServerRoomLeft = Type.Object({
  type: Type.Literal('room-left'),
  room: RoomName,
  id: MemberId,
  name: Name,
  seq: Seq,
})
export type ServerRoomLeft = Static<typeof ServerRoomLeft>
