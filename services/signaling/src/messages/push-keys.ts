import type { Handler } from './handler.ts'

/** Says which pushes this server can send. */
export const pushKeys: Handler<'push-keys'> = {
  cost: 1,
  handle(hub, session, { type }) {
    const { vapid, fcm = false, apns = false } = hub.options.push ?? {}
    hub.send(session, { type, ...(vapid === undefined ? {} : { vapid }), fcm, apns })
  },
}
