/** Allocate: RFC 8656 section 7.2. Its numbered steps are kept; step 1, authentication, is auth.ts. */
import {
  Attribute,
  copyBytes,
  decodeAddressFamily,
  decodeEvenPort,
  decodeRequestedTransport,
  decodeReservationToken,
  equalBytes,
  type Message,
  Transport,
} from '@hairpin/stun'
import { Allocation, type Creation } from '../allocation.ts'
import { answerAllocate, startAllocation } from '../lifecycle.ts'
import { grantedLifetime } from '../lifetime.ts'
import type { PortLease } from '../policies.ts'
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

  // 3. REQUESTED-TRANSPORT: UDP, or 400 and 442. (4., DONT-FRAGMENT, is an unknown attribute where it is not supported.)
  const transport = message.get(Attribute.RequestedTransport)
  const protocol = transport && decodeRequestedTransport(transport)
  if (protocol === undefined) return refuse('bad-request')
  if (protocol !== Transport.Udp) return refuse('transport-protocol')

  // 5. to 8. RESERVATION-TOKEN, REQUESTED-ADDRESS-FAMILY, EVEN-PORT.
  const wish = readWish(message)
  if (typeof wish === 'string') return refuse(wish)
  const lifetime = grantedLifetime(message, state.limits)
  if (lifetime === undefined) return refuse('bad-request')
  if (!wish.token && !state.options.relayAddresses[wish.family]) return refuse('address-family')

  // 9. Quota; and then a port, which is given back if anything fails from here.
  if (!state.options.quota.acquire(account, now)) return refuse('quota')
  const lease = wish.token
    ? state.options.ports.claim(wish.token, now)
    : state.options.ports.acquire(wish.ports, wish.family, now)
  const address = lease && state.options.relayAddresses[lease.family]
  if (!lease || !address) {
    if (lease) state.options.ports.release(lease.port, now)
    state.options.quota.release(account)
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
    creation: creationOf(request, lease, wish, lifetime),
    ports: state.options.ports,
  })
  const { port, family } = lease
  allocation.relays.push({ family, port, advertised: { address, port, family } })
  startAllocation(state, allocation, now)
}

function creationOf(request: AuthenticRequest, lease: PortLease, wish: Wish, lifetime: number): Creation {
  const { method, listener, from, fingerprint, key, sha256 } = request
  return {
    // The request's bytes belong to the socket: only a copy of the transaction id outlives this call.
    reply: { method, listener, from, fingerprint, key, sha256, transactionId: copyBytes(request.transactionId) },
    request: wish.token ? 'reserved' : wish.ports,
    lifetime,
    attempts: 0,
    token: lease.token,
  }
}

/** What the client asks of the relayed address. */
interface Wish {
  readonly family: 4 | 6
  readonly ports: 'any' | 'even' | 'even-reserve-next'
  readonly token?: Uint8Array | undefined
}

function readWish(message: Message): Wish | Rejection {
  const tokenValue = message.get(Attribute.ReservationToken)
  const evenValue = message.get(Attribute.EvenPort)
  const familyValue = message.get(Attribute.RequestedAddressFamily)
  const additional = message.has(Attribute.AdditionalAddressFamily)

  // 5. A reservation settles port and family, so nothing may ask for either beside it.
  if (tokenValue) {
    const token = decodeReservationToken(tokenValue)
    return !token || evenValue || familyValue || additional ? 'bad-request' : { family: 4, ports: 'any', token }
  }
  // 6. The family asked for; IPv4 when none is. ADDITIONAL-ADDRESS-FAMILY excludes it and EVEN-PORT's reservation.
  if (additional && familyValue) return 'bad-request'
  const family = familyValue ? decodeAddressFamily(familyValue) : 4
  if (family === undefined) return 'bad-request'
  if (family === 'unsupported') return 'address-family'
  // 8. EVEN-PORT.
  const even = evenValue && decodeEvenPort(evenValue)
  if (evenValue && !even) return 'bad-request'
  if (additional && even?.reserve) return 'bad-request'
  return { family, ports: even ? (even.reserve ? 'even-reserve-next' : 'even') : 'any' }
}
