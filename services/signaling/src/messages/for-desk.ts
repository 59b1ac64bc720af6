import type { DeskRequest } from '@hairpin/desk'
import type { Handler } from './handler.ts'

/** What an agent asks of the service that brings customers' calls. */
export function forDesk<T extends DeskRequest['type']>(type: T, cost: number): Handler<T> {
  return {
    cost,
    handle(hub, session) {
      hub.refuse(session, 'SIG_NO_DESK', type)
    },
  }
}
