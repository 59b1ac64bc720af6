import { type Static, Type } from 'typebox'
import { MemberId, Name, RoomName, Seq } from '../fields.ts'

/** Server → those who were there before: somebody entered, and will offer to each of them. */
export const ServerRoomEntered = Type.Object({
  type: Type.Literal('room-entered'),
  room: RoomName,
  id: MemberId,
  name: Name,
  seq: Seq,
})
export type ServerRoomEntered = Static<typeof ServerRoomEntered>
