import { type Static, Type } from 'typebox'
import { RoomName } from '../fields.ts'

/** Client → server: enter a room, which is there as soon as somebody enters it. Whoever is in one leaves it first. */
export const ClientRoomJoin = Type.Object({ type: Type.Literal('room-join'), room: RoomName })
export type ClientRoomJoin = Static<typeof ClientRoomJoin>
