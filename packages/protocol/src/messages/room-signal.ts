import { type Static, Type } from 'typebox'
import { Candidate, MemberId, MuteState, Name, RoomName, Seq, SessionDescription } from '../fields.ts'

/** What two members of a room tell each other; the server reads none of it. */
const signal = {
  sdp: Type.Optional(SessionDescription),
  candidate: Type.Optional(Candidate),
  mute: Type.Optional(MuteState),
}

/** Client → server, for one other member of the room that the client is in. */
export const ClientRoomSignal = Type.Object({ type: Type.Literal('room-signal'), id: MemberId, ...signal })
export type ClientRoomSignal = Static<typeof ClientRoomSignal>

/** Server → that member; `id` and `name` are the sender's. */
export const ServerRoomSignal = Type.Object({
  type: Type.Literal('room-signal'),
  room: RoomName,
  id: MemberId,
  name: Name,
  ...signal,
  seq: Seq,
})
export type ServerRoomSignal = Static<typeof ServerRoomSignal>
