import type { ClientMessage, ClientType } from '@hairpin/protocol'
import type { Hub } from '../core/hub.ts'
import type { Member, Session } from '../core/session.ts'

/** What the server does with one type of message. The message has passed its schema. */
export interface Handler<T extends ClientType, S extends Session = Member> {
  /** Tokens that one message takes from the session's allowance; those that fan out take more. */
  readonly cost: number
  handle(hub: Hub, session: S, message: Extract<ClientMessage, { type: T }>, now: number): void
}
