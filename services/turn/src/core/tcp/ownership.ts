/** Which connection a ConnectionBind means, and whose it is. */
import { Attribute, decodeConnectionId, Method } from '@hairpin/stun'
import type { Request } from '../request.ts'
import type { ServerState } from '../state.ts'
import { type PeerConnection, workerOf } from './connections.ts'

function namedBy({ method, message }: Request): number | undefined {
  if (method !== Method.ConnectionBind) return undefined
  const value = message.get(Attribute.ConnectionId)
  return value && decodeConnectionId(value)
}

/** The connection that a ConnectionBind names, if it is one of this worker's. Undefined for every other request. */
export function connectionOf(state: ServerState, request: Request): PeerConnection | undefined {
  const id = namedBy(request)
  return id === undefined ? undefined : state.connections.byId(id)
}

/**
 * The other worker whose connection a ConnectionBind names: there the client's connection belongs, which the kernel gave
 * to this one. A connection that has an allocation is no data connection and stays.
 */
export function workerElsewhere(state: ServerState, request: Request): number | undefined {
  const { tcpRelay } = state.options
  const id = tcpRelay && namedBy(request)
  if (id === undefined || request.listener.transport === 'udp') return undefined
  const worker = workerOf(id)
  const { listener, from } = request
  if (worker === tcpRelay!.worker || worker >= tcpRelay!.workers) return undefined
  return state.allocations.find(listener, from.address, from.port) ? undefined : worker
}
