import type { ServerBody } from '@hairpin/protocol'
import type { Handler } from './handler.ts'

/** Text for everyone, or for `target` alone; the sender gets it back as the others see it. An empty one goes nowhere. */
export const message: Handler<'message'> = {
  cost: 5,
  handle(hub, session, { type, text, target }) {
    if (text.trim() === '') return
    const body: ServerBody = { type, name: session.name, text: withoutTags(text), date: hub.options.date() }
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
