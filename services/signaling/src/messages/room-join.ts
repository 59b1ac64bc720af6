import { inCustomersCall } from '../core/agents.ts'
import type { Handler } from './handler.ts'

/** Enters a room; the newcomer hears who is there and offers to each of them, who hear that somebody came. */
export const roomJoin: Handler<'room-join'> = {
  cost: 5,
  handle(hub, session, { type, room: name }) {
    const { app } = session.realm
    if (hub.calls.of(session.id) !== undefined || inCustomersCall(hub, session.user))
      return hub.refuse(session, 'SIG_IN_CALL', type)
    if (!hub.rooms.hasPlace(app, name, session.id)) return hub.refuse(session, 'SIG_ROOM_FULL', type)
    hub.leaveRoom(session)
    const stay = hub.rooms.enter(app, name, session.id, session.name)
    if (stay === undefined) return
    const { room, member } = stay
    const others = [...room.members.values()].filter((other) => other !== member)
    const members = others.map((other) => ({ id: other.id, name: other.name }))
    hub.send(session, { type: 'room-joined', room: name, you: member.id, members })
    const devices = others.map(({ device }) => device)
    hub.sendToDevices(devices, { type: 'room-entered', room: name, id: member.id, name: member.name })
  },
}
