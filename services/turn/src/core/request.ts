/** A request on its way through checks to its handler. */
import type { Message, PasswordAlgorithm } from '@hairpin/stun'
import type { Allocation } from './allocation.ts'
import { completeMove } from './mobility.ts'
import type { Credentials } from './policies.ts'
import { type ReplyTo, reject } from './reply.ts'
import type { ServerState } from './state.ts'

export interface Request extends ReplyTo {
  readonly message: Message
  readonly now: number
}

/** A request whose MESSAGE-INTEGRITY has been checked. */
export interface AuthenticRequest extends Request {
  readonly username: string
  readonly key: Uint8Array
  /** What `key` was derived with. */
  readonly algorithm: PasswordAlgorithm
  /** What the password policy said; absent when the key of the allocation at this five-tuple was enough. */
  readonly account?: Extract<Credentials, { ok: true }>
}

/**
 * The live allocation a Refresh, CreatePermission or ChannelBind is for; rejects and returns undefined when there is
 * none (437) or when it belongs to another user (441, RFC 8656 section 5).
 */
export function requireAllocation(state: ServerState, request: AuthenticRequest): Allocation | undefined {
  const allocation = state.allocations.find(request.listener, request.from.address, request.from.port)
  if (allocation?.state !== 'live') {
    reject(state, request, 'allocation-mismatch', request.now)
    return undefined
  }
  if (allocation.username !== request.username) {
    reject(state, request, 'wrong-user', request.now)
    return undefined
  }
  if (allocation.isNext(request.listener, request.from.address, request.from.port))
    completeMove(state, allocation, request.now)
  return allocation
}
