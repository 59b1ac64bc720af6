/**
 * Mobility: RFC 8016. A client that comes from a new address shows the ticket it was given, and its allocation moves to
 * the new five-tuple with permissions, channels and relayed addresses as they are.
 *
 * A ticket names the worker that holds the allocation, so that any worker can tell whose it is, the allocation, and its
 * generation; an HMAC under a key that the workers share seals it. A new ticket comes with every move. The one before
 * stays good until the client has used the new one: the answer that brought it may have been lost on the way. A client
 * need not know what is in it, but it is text: coturn's client takes tickets for strings that end at the first zero byte.
 */
import { timingSafeEqual } from 'node:crypto'
import { Attribute, decodeText, encodeText, hmac, Method } from '@hairpin/stun'
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
   * Hands a Refresh over UDP to the worker that holds its allocation, which gives it to its own `server.receive`. `bytes`
   * belong to the socket and must be copied. Left out where there is one worker. A connection goes by the output `handOver`.
   */
  readonly forward?: ((worker: number, bytes: Uint8Array, listener: Listener, from: Endpoint) => void) | undefined
}

/** How far a client has come with its tickets. */
export interface Mobility {
  /** The generation it used last, and the one it was given last. */
  used: number
  given: number
  /** Its connection is gone. */
  detached?: boolean
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
  return encodeText(Buffer.from(sealed.buffer).toString('base64url'))
}

/** Undefined when it is none of ours. */
export function openTicket(key: Uint8Array, ticket: Uint8Array): Ticket | undefined {
  const sealed = Buffer.from(decodeText(ticket) ?? '', 'base64url')
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
 * The allocation that a Refresh with a ticket is for; `elsewhere` when another worker holds it, `gone` when it has ended,
 * `invalid` for a ticket that is forged or worn out. Undefined for every other request.
 */
export function claimedBy(
  state: ServerState,
  request: Request,
): Allocation | 'elsewhere' | 'gone' | 'invalid' | undefined {
  const { mobility } = state.options
  const sealed = request.method === Method.Refresh ? request.message.get(Attribute.MobilityTicket) : undefined
  if (!mobility || !sealed) return undefined
  const ticket = openTicket(mobility.key, sealed)
  if (!ticket) return 'invalid'
  if (ticket.worker !== mobility.worker) return mobility.forward ? 'elsewhere' : 'invalid'
  const allocation = state.allocations.byId(ticket.allocation)
  if (!allocation?.mobility || allocation.state !== 'live' || stampOf(allocation) !== ticket.stamp) return 'gone'
  const { used, given } = allocation.mobility
  return ticket.generation === used || ticket.generation === given ? allocation : 'invalid'
}

/** Hands the request to the worker whose ticket it carries. */
export function forward(state: ServerState, request: Request): void {
  const { mobility } = state.options
  const ticket = mobility && openTicket(mobility.key, request.message.get(Attribute.MobilityTicket)!)
  if (!ticket) return
  const { listener, from, message } = request
  if (listener.transport === 'udp') mobility.forward?.(ticket.worker, message.bytes, listener, from)
  else state.emit({ type: 'handOver', worker: ticket.worker, listener, from, request: message.bytes })
}

/**
 * Section 3.2.2: the allocation is about to move to where the request came from, and gets the next ticket. Until data comes
 * from there, or the old connection ends, the client is reached where it was and heard in both places. Any further request
 * from there counts as data: a client that only listens sends nothing else.
 */
export function beginMove(state: ServerState, allocation: Allocation, request: AuthenticRequest): void {
  const { mobility } = state.options
  const ticket = openTicket(mobility!.key, request.message.get(Attribute.MobilityTicket)!)!
  allocation.mobility!.used = ticket.generation
  allocation.mobility!.given = (ticket.generation + 1) & 0xffff
  const { listener, from } = request
  // A retransmission.
  if (allocation.isNext(listener, from.address, from.port)) return
  cancelMove(state, allocation)
  // Back where it was.
  if (state.allocations.find(listener, from.address, from.port) === allocation) return
  allocation.next = { listener, client: from }
  state.allocations.link(allocation, allocation.next)
  state.emit({ type: 'reached', listener, client: from })
  if (allocation.mobility!.detached) completeMove(state, allocation, request.now)
}

/** The client has come to where it was about to move to. */
export function completeMove(state: ServerState, allocation: Allocation, now: number): void {
  const { next } = allocation
  if (!next) return
  const before = { listener: allocation.listener, client: allocation.client }
  const detached = allocation.mobility?.detached
  state.options.events?.allocationMoving?.(allocation, next, now)
  state.allocations.unlink(allocation, before)
  allocation.listener = next.listener
  allocation.client = next.client
  allocation.next = undefined
  if (allocation.mobility) allocation.mobility.detached = false
  state.emit({ type: 'moved', allocation: allocation.id })
  if (!detached) state.emit({ type: 'left', ...before })
  state.options.events?.allocationMoved?.(allocation, before, now)
}

/** It does not move after all, or elsewhere. */
export function cancelMove(state: ServerState, allocation: Allocation): void {
  const { next } = allocation
  if (!next) return
  allocation.next = undefined
  state.allocations.unlink(allocation, next)
  state.emit({ type: 'left', ...next })
}
