import type { ServerBody } from '@hairpin/protocol'
import type { Handler } from './handler.ts'

/** Text for everyone, for `target` alone, or for the members of the sender's `room`; the sender gets it back as the others see it. An empty one goes nowhere. */
export const message: Handler<'message'> = {
  cost: 5,
  handle(hub, session, { type, text, target, room: name }) {
    if (text.trim() === '') return
    const body: ServerBody = { type, name: session.name, text: withoutTags(text), date: hub.options.date() }
    if (name !== undefined) {
      const room = hub.rooms.of(session.id)?.room
      if (room?.name !== name) return hub.refuse(session, 'SIG_NO_ROOM', type)
      const devices = [...room.members.values()].map(({ device }) => device)
      return hub.sendToDevices(devices, { ...body, room: name })
    }
    if (!target) {
      for (const member of session.realm.sessions()) hub.send(member, body)
      return
    }
    const receiver = session.realm.find(target)
    if (receiver === undefined) return hub.refuse(session, 'SIG_TARGET_UNKNOWN', type)
    const personal = { ...body, target: receiver.name }
    hub.sendToUser(receiver, personal)
    if (receiver !== session.user) hub.sendToUser(session.user, personal)
  },
}

/**
 * Pages in the tutorial's manner write texts into innerHTML, and its server strips tags for them (in a way that an
 * unclosed tag gets around). Here a "<" that could open a tag, an end tag or a comment becomes "‹": nothing is lost
 * to read, nothing is left to run.
 */
function withoutTags(text: string): string {
  return text.replace(/<(?=[a-z/!?])/gi, '‹')
}
