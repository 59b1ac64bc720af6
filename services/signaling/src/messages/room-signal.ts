import type { Handler } from './handler.ts'

/** From one member of a room to another. What is for one who has left goes nowhere: it was on its way when that happened. */
export const roomSignal: Handler<'room-signal'> = {
  cost: 1,
  handle(hub, session, { type, id, sdp, candidate, mute }) {
    const stay = hub.rooms.of(session.id)
    if (stay === undefined) return hub.refuse(session, 'SIG_NO_ROOM', type)
    const { room, member } = stay
    const receiver = room.members.get(id)
    if (receiver === undefined || receiver === member) return
    hub.sendToDevices([receiver.device], {
      type,
      room: room.name,
      id: member.id,
      name: member.name,
      ...(sdp === undefined ? {} : { sdp: { type: sdp.type, sdp: sdp.sdp } as typeof sdp }),
      ...(candidate === undefined ? {} : { candidate }),
      ...(mute === undefined ? {} : { mute: { audio: mute.audio, video: mute.video } }),
    })
  },
}
