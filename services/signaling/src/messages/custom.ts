import { serverSchemas } from '@hairpin/protocol'
import type { Incoming } from '../core/frame.ts'
import type { Hub } from '../core/hub.ts'
import type { Member } from '../core/session.ts'

/** Types that mean something when they come from the server: clients cannot forge them. */
const reserved = new Set(Object.keys(serverSchemas))

export const customCost = 2

/**
 * A type that the server does not know passes to `target`, as in the tutorial, with the sender's true name. Without a
 * target the tutorial broadcasts it; here it is refused, since it would hand every client a way to flood all others.
 */
export function passOn(hub: Hub, session: Member, message: Incoming, now: number): void {
  const { id: _id, seq: _seq, target, ...rest } = message
  const receiver = typeof target === 'string' ? session.realm.find(target) : undefined
  if (reserved.has(message.type)) hub.fault(session, 'SIG_TYPE_RESERVED', now, message.type)
  else if (typeof target !== 'string' || target === '') hub.fault(session, 'SIG_TARGET_REQUIRED', now)
  else if (receiver === undefined) hub.refuse(session, 'SIG_TARGET_UNKNOWN')
  else hub.sendToUser(receiver, { ...rest, name: session.name, target: receiver.name })
}
