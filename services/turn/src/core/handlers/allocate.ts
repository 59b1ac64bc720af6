/**
 * Allocate: RFC 8656 section 7.2, and for TCP what RFC 6062 section 5.1 changes. The former's numbered steps are kept;
 * step 1, authentication, is auth.ts.
 */
import {
  Attribute,
  copyBytes,
  decodeAddressFamily,
  decodeEvenPort,
  decodeRequestedTransport,
  decodeReservationToken,
  encodeAddress,
  equalBytes,
  type Message,
  Transport,
} from '@hairpin/stun'
import { Allocation, type Creation } from '../allocation.ts'
import { shapeAllocation } from '../bandwidth.ts'
import { withinCredential } from '../expiry.ts'
import { addRelay, answerAllocate, startAllocation } from '../lifecycle.ts'
import { grantedLifetime } from '../lifetime.ts'
import type { PortLease, RelayTransport } from '../policies.ts'
import type { Rejection } from '../rejections.ts'
import { reject } from '../reply.ts'
import type { AuthenticRequest } from '../request.ts'
import type { ServerState } from '../state.ts'

export function handleAllocate(state: ServerState, request: AuthenticRequest) {
  const { message, now, listener, from, account } = request
  const refuse = (rejection: Rejection) => reject(state, request, rejection, now)

  // 2. A five-tuple has one allocation. A retransmission of the very request that made it is answered the same, or when
  //    its relay socket is still opening, by the answer to come.
  const existing = state.allocations.find(listener, from.address, from.port)
  if (existing) {
    if (!equalBytes(existing.creation.reply.transactionId, request.transactionId)) return refuse('allocation-mismatch')
    return existing.state === 'live' ? answerAllocate(state, existing) : state.ignore('pending')
  }
  if (!account) return refuse('allocation-mismatch')

  // 3. REQUESTED-TRANSPORT: UDP or, where it is relayed, TCP; else 400 and 442. (4., DONT-FRAGMENT, is an unknown attribute
  //    where it is not supported.)
  const protocol = requestedTransport(message)
  if (protocol === undefined) return refuse('bad-request')
  const tcp = protocol === Transport.Tcp && state.options.tcpRelay !== undefined
  if (protocol !== Transport.Udp && !tcp) return refuse('transport-protocol')
  if (tcp && (listener.transport === 'udp' || asksForDatagrams(message))) return refuse('bad-request')

  // RFC 8016 section 3.1.2: a client that wants tickets sends an empty one.
  //    What a TCP allocation relays would not come along: it gets none.
  const ticket = !tcp && state.options.mobility && message.get(Attribute.MobilityTicket)
  if (ticket && ticket.length > 0) return refuse('bad-request')

  // 5. to 9. RESERVATION-TOKEN, the families, EVEN-PORT.
  const wish = readWish(message, !tcp && (state.options.dualAllocation ?? false))
  if (typeof wish === 'string') return refuse(wish)
  const granted = grantedLifetime(message, state.limits)
  if (granted === undefined) return refuse('bad-request')
  const lifetime = withinCredential(state, account.expiresAt, granted, now)
  const families = wish.families.filter((family) => state.options.relayAddresses[family])
  if (!wish.token && families.length === 0) return refuse('address-family')

  // 11., which may come at any point: a server that drains sends its clients elsewhere.
  if (state.draining) return refuseForDrain(state, request)

  // 10. Quota, of allocations and of bytes; and then ports. All is given back if anything fails from here.
  const { quota, credits } = state.options
  if (!quota.acquire(account, now)) return refuse('quota')
  const credit = credits?.acquire(request.username, account.expiresAt, now)
  if (credits && !credit) {
    quota.release(account)
    return refuse('quota')
  }
  const relayTransport = tcp ? 'tcp' : 'udp'
  const leases = leasePorts(state, wish, families, relayTransport, now)
  if (leases.length === 0) {
    quota.release(account)
    credit?.release()
    return refuse('capacity')
  }

  const allocation = new Allocation({
    id: state.nextId(),
    listener,
    client: from,
    username: request.username,
    principal: { app: account.app, user: account.user },
    credentialExpiresAt: account.expiresAt,
    key: request.key,
    algorithm: request.algorithm,
    createdAt: now,
    creation: creationOf(request, leases, wish, lifetime),
    relayTransport,
    ports: state.options.ports,
    quota,
  })
  for (const lease of leases) addRelay(allocation, lease, state.options.relayAddresses[lease.family]!)
  const missing = wish.token ? undefined : wish.families.find((family) => !allocation.relayFor(family))
  if (missing)
    allocation.creation.missing = {
      family: missing,
      rejection: families.includes(missing) ? 'capacity' : 'address-family',
    }
  if (ticket) allocation.mobility = { used: 0, given: 0 }
  shapeAllocation(state, allocation, credit, now)
  startAllocation(state, allocation, now)
}

function requestedTransport(message: Message): number | undefined {
  const value = message.get(Attribute.RequestedTransport)
  return value && decodeRequestedTransport(value)
}

/** Whether it is for a relayed transport address of TCP. */
export function asksForTcp(message: Message): boolean {
  return requestedTransport(message) === Transport.Tcp
}

/**
 * RFC 6062 section 5.1: "If the request contains the DONT-FRAGMENT, EVEN-PORT, or RESERVATION-TOKEN attribute, the server
 * MUST reject the request with a 400 (Bad Request) error."
 */
function asksForDatagrams(message: Message): boolean {
  return [Attribute.DontFragment, Attribute.EvenPort, Attribute.ReservationToken].some((type) => message.has(type))
}

/** RFC 8489 section 10: the alternate is of the family the client uses. */
function refuseForDrain(state: ServerState, request: AuthenticRequest) {
  const alternate = state.draining?.alternate?.[request.from.family]
  if (!alternate) return reject(state, request, 'capacity', request.now)
  const value = encodeAddress(alternate)
  return reject(state, request, 'try-alternate', request.now, [[Attribute.AlternateServer, value]])
}

/** A port for each family, as far as there are any. */
function leasePorts(
  state: ServerState,
  wish: Wish,
  families: readonly (4 | 6)[],
  transport: RelayTransport,
  now: number,
): PortLease[] {
  const { ports, relayAddresses } = state.options
  if (!wish.token) {
    const leases = families.map((family) => ports.acquire(wish.ports, family, transport, now))
    return leases.filter((lease) => lease !== undefined)
  }
  const lease = ports.claim(wish.token, now)
  if (!lease || relayAddresses[lease.family]) return lease ? [lease] : []
  ports.release(lease.port, now)
  return []
}

function creationOf(request: AuthenticRequest, leases: readonly PortLease[], wish: Wish, lifetime: number): Creation {
  const { method, listener, from, fingerprint, key, sha256 } = request
  return {
    // The request's bytes belong to the socket: only a copy of the transaction id outlives this call.
    reply: { method, listener, from, fingerprint, key, sha256, transactionId: copyBytes(request.transactionId) },
    request: wish.token ? 'reserved' : wish.ports,
    lifetime,
    token: leases[0]?.token,
  }
}

/** What the client asks of the relayed address, or of the two. */
interface Wish {
  readonly families: readonly (4 | 6)[]
  readonly ports: 'any' | 'even' | 'even-reserve-next'
  readonly token?: Uint8Array | undefined
}

function readWish(message: Message, dual: boolean): Wish | Rejection {
  const tokenValue = message.get(Attribute.ReservationToken)
  const evenValue = message.get(Attribute.EvenPort)
  const familyValue = message.get(Attribute.RequestedAddressFamily)
  const additionalValue =
    message.get(Attribute.AdditionalAddressFamily) ?? message.get(Attribute.DraftAdditionalAddressFamily)

  // 5. A reservation settles port and family, so nothing may ask for either beside it.
  if (tokenValue) {
    const token = decodeReservationToken(tokenValue)
    return !token || evenValue || familyValue || additionalValue ? 'bad-request' : { families: [], ports: 'any', token }
  }
  // 6. and 7. The family asked for; IPv4 when none is.
  if (additionalValue && familyValue) return 'bad-request'
  const family = familyValue ? decodeAddressFamily(familyValue) : 4
  if (family === undefined) return 'bad-request'
  if (family === 'unsupported') return 'address-family'
  // 9. ADDITIONAL-ADDRESS-FAMILY asks for IPv6 beside IPv4, and can ask for nothing else.
  const additional = additionalValue && decodeAddressFamily(additionalValue)
  if (additionalValue && dual && additional !== 6) return 'bad-request'
  // 8. EVEN-PORT.
  const even = evenValue && decodeEvenPort(evenValue)
  if (evenValue && !even) return 'bad-request'
  if (additionalValue && even?.reserve) return 'bad-request'
  const ports = even ? (even.reserve ? 'even-reserve-next' : 'even') : 'any'
  return { families: additional && dual ? [4, 6] : [family], ports }
}
