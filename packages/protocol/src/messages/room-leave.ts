import { type Static, Type } from 'typebox'
import { RoomName } from '../fields.ts'

/** Client → server: leave the room. Without effect when the client is not in it. */
export const ClientRoomLeave = Type.Object({ type: Type.Literal('room-leave'), room: RoomName })
export type ClientRoomLeave = Static<typeof ClientRoomLeave>
