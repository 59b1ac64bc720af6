/**
 * Mobility: RFC 8016. A client that comes from a new address shows the ticket it was given, and its allocation moves to
 * the new five-tuple with permissions, channels and relayed addresses as they are.
 *
 * A ticket names the worker that holds the allocation, so that any worker can tell whose it is, the allocation, and its
 * generation; an HMAC under a key that the workers share seals it. A new ticket comes with every move. The one before
 * stays good until the client has used the new one: the answer that brought it may have been lost on the way.
 */
import { timingSafeEqual } from 'node:crypto'
import { Attribute, hmac, Method } from '@hairpin/stun'
import type { Allocation } from './allocation.ts'
import type { AuthenticRequest, Request } from './request.ts'
import type { ServerState } from './state.ts'
import type { Endpoint, Listener } from './types.ts'

export interface MobilityOptions {
  /** 32 random bytes that all workers share. */
  readonly key: Uint8Array
  /** This worker's number, below 65,536. */
  readonly worker: number
  /**
   * Hands a Refresh to the worker that holds its allocation, which gives it to its own `server.receive`. `bytes` belong to
   * the socket and must be copied. Left out where there is one worker.
   */
  readonly forward?: ((worker: number, bytes: Uint8Array, listener: Listener, from: Endpoint) => void) | undefined
}

/** How far a client has come with its tickets. */
export interface Mobility {
  /** The generation it used last, and the one it was given last. */
  used: number
  given: number
}

export interface Ticket {
  readonly worker: number
  readonly generation: number
  readonly allocation: number
  /** Of the allocation's creation: ids start again when a worker does. */
  readonly stamp: number
}

const BODY = 12
const MAC = 12

export function sealTicket(key: Uint8Array, { worker, generation, allocation, stamp }: Ticket): Uint8Array {
  const sealed = new Uint8Array(BODY + MAC)
  const view = new DataView(sealed.buffer)
  view.setUint16(0, worker)
  view.setUint16(2, generation)
  view.setUint32(4, allocation)
  view.setUint32(8, stamp)
  sealed.set(hmac('sha256', key, sealed.subarray(0, BODY)).subarray(0, MAC), BODY)
  return sealed
}

/** Undefined when it is none of ours. */
export function openTicket(key: Uint8Array, sealed: Uint8Array): Ticket | undefined {
  if (sealed.length !== BODY + MAC) return undefined
  const mac = hmac('sha256', key, sealed.subarray(0, BODY)).subarray(0, MAC)
  if (!timingSafeEqual(mac, sealed.subarray(BODY))) return undefined
  const view = new DataView(sealed.buffer, sealed.byteOffset)
  return {
    worker: view.getUint16(0),
    generation: view.getUint16(2),
    allocation: view.getUint32(4),
    stamp: view.getUint32(8),
  }
}

/** The newest ticket of a mobile allocation. */
export function ticketOf(state: ServerState, allocation: Allocation): Uint8Array | undefined {
  const { mobility } = state.options
  if (!mobility || !allocation.mobility) return undefined
  return sealTicket(mobility.key, {
    worker: mobility.worker,
    generation: allocation.mobility.given,
    allocation: allocation.id,
    stamp: stampOf(allocation),
  })
}

function stampOf(allocation: Allocation): number {
  return Math.floor(allocation.createdAt) % 2 ** 32
}

/**
 * The allocation that a Refresh with a ticket is for; `elsewhere` when another worker holds it, `invalid` for a ticket that
 * is forged or worn out. Undefined for every other request.
 */
export function claimedBy(state: ServerState, request: Request): Allocation | 'elsewhere' | 'invalid' | undefined {
  const { mobility } = state.options
  const sealed = request.method === Method.Refresh ? request.message.get(Attribute.MobilityTicket) : undefined
  if (!mobility || !sealed) return undefined
  const ticket = openTicket(mobility.key, sealed)
  if (!ticket) return 'invalid'
  if (ticket.worker !== mobility.worker) return mobility.forward ? 'elsewhere' : 'invalid'
  const allocation = state.allocations.byId(ticket.allocation)
  if (!allocation?.mobility || allocation.state !== 'live' || stampOf(allocation) !== ticket.stamp) return 'invalid'
  const { used, given } = allocation.mobility
  return ticket.generation === used || ticket.generation === given ? allocation : 'invalid'
}

/** Hands the request to the worker whose ticket it carries. */
export function forward(state: ServerState, request: Request): void {
  const { mobility } = state.options
  const ticket = mobility && openTicket(mobility.key, request.message.get(Attribute.MobilityTicket)!)
  if (ticket) mobility.forward?.(ticket.worker, request.message.bytes, request.listener, request.from)
}

/** Section 3.2.2: moves the allocation to where the request came from, and makes the next ticket. */
export function move(state: ServerState, allocation: Allocation, request: AuthenticRequest): void {
  const { mobility } = state.options
  const ticket = openTicket(mobility!.key, request.message.get(Attribute.MobilityTicket)!)!
  allocation.mobility!.used = ticket.generation
  allocation.mobility!.given = (ticket.generation + 1) & 0xffff
  const { listener, from, now } = request
  if (state.allocations.find(listener, from.address, from.port) === allocation) return
  const before = { listener: allocation.listener, client: allocation.client }
  state.options.events?.allocationMoving?.(allocation, { listener, client: from }, now)
  state.allocations.remove(allocation)
  allocation.listener = listener
  allocation.client = from
  state.allocations.add(allocation)
  state.options.events?.allocationMoved?.(allocation, before, now)
}
