import { objection, pushKey } from '../core/waking.ts'
import type { Handler } from './handler.ts'

/** Keeps where a device of this user is woken. A guest's name may be another's tomorrow: it has one endpoint, the newest. */
export const pushRegister: Handler<'push-register'> = {
  cost: 10,
  handle(hub, session, { type, endpoint }) {
    const code = objection(hub.options.push, endpoint)
    if (code !== undefined) return hub.refuse(session, code, type)
    const { app } = session.realm
    const { pushEndpoints } = hub.options.limits
    const { kind, address } = endpoint
    const known = kind === 'web' ? { kind, address, p256dh: endpoint.p256dh, auth: endpoint.auth } : { kind, address }
    hub.push.register(pushKey(app, session.name), known, app === undefined ? 1 : pushEndpoints)
    hub.send(session, { type: 'push-registered', address })
  },
}
