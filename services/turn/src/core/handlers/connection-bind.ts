/** ConnectionBind: RFC 6062 section 5.4. */
import type { Rejection } from '../rejections.ts'
import { reject, succeed } from '../reply.ts'
import type { AuthenticRequest } from '../request.ts'
import type { ServerState } from '../state.ts'
import { connectionOf } from '../tcp/ownership.ts'

export function handleConnectionBind(state: ServerState, request: AuthenticRequest) {
  const { listener, from, now } = request
  const refuse = (rejection: Rejection) => reject(state, request, rejection, now)

  // 1. "If the client connection transport is not TCP or TLS, the server MUST return a 400". A control connection cannot
  //    become a data connection either: it would lose its allocation.
  if (listener.transport === 'udp') return refuse('bad-request')
  if (state.allocations.find(listener, from.address, from.port)) return refuse('bad-request')

  // 2. "If the request does not contain the CONNECTION-ID attribute, or if this attribute does not refer to an existing
  //    pending connection, the server MUST return a 400".
  const connection = connectionOf(state, request)
  if (connection?.state !== 'pending') return refuse('bad-request')
  // Section 4.3: authenticated with "the same method and credentials as for the control connection".
  if (connection.allocation.username !== request.username) return refuse('wrong-user')

  // 3. "Otherwise, the client connection is now called a client data connection."
  connection.state = 'bound'
  state.deadlines.remove(connection)
  succeed(state, request, [])
  state.emit({ type: 'bindConnection', connection: connection.id, listener, from })
}
