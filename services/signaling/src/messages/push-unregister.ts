import { pushKey } from '../core/waking.ts'
import type { Handler } from './handler.ts'

/** Forgets an endpoint of this user. */
export const pushUnregister: Handler<'push-unregister'> = {
  cost: 10,
  handle(hub, session, { address }) {
    if (hub.push.owner(address) === pushKey(session.realm.app, session.name)) hub.push.drop(address)
  },
}
