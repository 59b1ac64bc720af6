import type { Handler } from './handler.ts'

/** Leaves the room; one that trails an earlier stay has no effect. */
export const roomLeave: Handler<'room-leave'> = {
  cost: 1,
  handle(hub, session, { room }) {
    if (hub.rooms.of(session.id)?.room.name === room) hub.leaveRoom(session)
  },
}
