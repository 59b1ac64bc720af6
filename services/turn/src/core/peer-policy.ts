/**
 * Which peers may be reached: the guard against relaying into private networks (RFC 8656 section 21.1.4's advice,
 * and the ways around such guards that have been found in other servers).
 */
import { formatAddress, parseAddress } from '@hairpin/stun'
import { CidrSet } from './cidr.ts'
import type { PeerPolicy, PeerVerdict } from './policies.ts'

/** Private, shared, reserved, documentation, benchmarking, multicast and special ranges (IANA's registries, RFC 6890). */
export const DEFAULT_PEER_DENY: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '100:0:0:1::/64',
  '2001::/32',
  '2001:2::/48',
  '2001:10::/28',
  '2001:20::/28',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

export interface PeerPolicyOptions {
  /** CIDRs that may not be reached; `DEFAULT_PEER_DENY` when left out. */
  readonly deny?: readonly string[]
  /** CIDRs that may be reached whatever else is said of them, this host's own addresses included: the operator's word. */
  readonly allow?: readonly string[]
  /** The server's relayed addresses (advertised and, behind 1:1 NAT, bound): reachable on live relayed ports only. */
  readonly relayAddresses?: readonly string[]
  /** The host's other addresses: not reachable. */
  readonly hostAddresses?: readonly string[]
}

/**
 * The order of the checks: allow list, own relayed addresses, the host's other addresses, deny list. An address that
 * carries an IPv4 address inside is judged by both its forms: either may deny it, and allowing takes the inner one.
 * @throws RangeError naming a range or address that cannot be parsed.
 */
export function createPeerPolicy(options: PeerPolicyOptions = {}): PeerPolicy {
  const deny = new CidrSet(options.deny ?? DEFAULT_PEER_DENY)
  const allow = new CidrSet(options.allow ?? [])
  const relay = new CidrSet(options.relayAddresses ?? [])
  const host = new CidrSet(options.hostAddresses ?? [])

  return {
    check(address: string): PeerVerdict {
      const outer = parseAddress(address)
      if (!outer) return 'deny'
      const inner = embeddedIPv4(outer)
      if (allow.has(inner ?? outer)) return 'allow'
      if (relay.has(outer)) return 'own'
      // An embedding of an own address is no relayed address: sockets are not bound to it.
      if (inner && relay.has(inner)) return 'deny'
      if (host.has(outer) || (inner && host.has(inner))) return 'deny'
      return deny.has(outer) || (inner && deny.has(inner)) ? 'deny' : 'allow'
    },
  }
}

/**
 * The IPv4 address that packets to this IPv6 address may end at, if any: IPv4-mapped (::ffff:0:0/96), IPv4-compatible
 * (::/96), IPv4-translated (::ffff:0:0:0/96), 6to4 (2002::/16), NAT64 (64:ff9b::/96 and, for its usual /96 use,
 * 64:ff9b:1::/48) and Teredo (2001::/32, stored inverted).
 */
export function embeddedIPv4(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length !== 16) return undefined
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!)
  const [a, b, c, d, e, f] = groups as [number, number, number, number, number, number]
  const last = bytes.subarray(12, 16)
  if ((a | b | c | d) === 0) {
    if (e === 0 && f === 0) return isTiny(last) ? undefined : last
    if (e === 0 && f === 0xffff) return last
    if (e === 0xffff && f === 0) return last
  }
  if (a === 0x2002) return bytes.subarray(2, 6)
  if (a === 0x0064 && b === 0xff9b) return last
  if (a === 0x2001 && b === 0) return last.map((byte) => byte ^ 0xff)
  return undefined
}

/** :: and ::1 are addresses of their own, not IPv4-compatible ones. */
function isTiny(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 0 && bytes[3]! <= 1
}

/** The embedded IPv4 address as text, or the address itself in canonical text; undefined when it is no address. */
export function effectiveAddress(address: string): string | undefined {
  const bytes = parseAddress(address)
  return bytes && formatAddress(embeddedIPv4(bytes) ?? bytes)
}
