import { type Static, Type } from 'typebox'
import { MemberId, RoomMember, RoomName, Seq } from '../fields.ts'

/** Server → the one who entered: who was there before. `you` is its own id in this room. */
export const ServerRoomJoined = Type.Object({
  type: Type.Literal('room-joined'),
  room: RoomName,
  you: MemberId,
  members: Type.Array(RoomMember),
  seq: Seq,
})
export type ServerRoomJoined = Static<typeof ServerRoomJoined>
