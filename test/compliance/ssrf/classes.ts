/**
 * Every class of address that a relay must not reach: the special-purpose registries of IANA (RFC 6890), whatever carries
 * one of their IPv4 addresses inside an IPv6 address, and the addresses of the host itself.
 */
import { formatAddress, parseAddress } from '@hairpin/stun'

export interface AddressClass {
  readonly name: string
  /** Representatives: of a range its first, its last and some in between that are known from attacks. */
  readonly addresses: readonly string[]
}

interface RangeClass {
  readonly name: string
  readonly ranges: readonly string[]
  /** The likeliest targets. */
  readonly known: readonly string[]
}

const IPV4: readonly RangeClass[] = [
  { name: 'this network', ranges: ['0.0.0.0/8'], known: ['0.0.0.0'] },
  { name: 'private', ranges: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'], known: ['192.168.1.1', '172.17.0.1'] },
  { name: 'shared by carriers', ranges: ['100.64.0.0/10'], known: ['100.100.100.200'] },
  { name: 'loopback', ranges: ['127.0.0.0/8'], known: ['127.0.0.1', '127.0.0.53', '127.1.2.3'] },
  { name: 'link-local', ranges: ['169.254.0.0/16'], known: ['169.254.1.1'] },
  { name: 'cloud metadata', ranges: [], known: ['169.254.169.254', '169.254.170.2', '192.0.0.192'] },
  { name: 'IETF protocols', ranges: ['192.0.0.0/24'], known: ['192.0.0.170'] },
  { name: 'documentation', ranges: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'], known: [] },
  { name: '6to4 relays', ranges: ['192.88.99.0/24'], known: ['192.88.99.1'] },
  { name: 'benchmarking', ranges: ['198.18.0.0/15'], known: [] },
  { name: 'multicast', ranges: ['224.0.0.0/4'], known: ['224.0.0.1', '224.0.0.251', '239.255.255.250'] },
  { name: 'reserved', ranges: ['240.0.0.0/4'], known: [] },
  { name: 'broadcast', ranges: [], known: ['255.255.255.255'] },
]

const IPV6: readonly RangeClass[] = [
  { name: 'unspecified', ranges: [], known: ['::'] },
  { name: 'loopback, IPv6', ranges: [], known: ['::1'] },
  { name: 'discard-only', ranges: ['100::/64', '100:0:0:1::/64'], known: [] },
  { name: 'benchmarking, IPv6', ranges: ['2001:2::/48'], known: [] },
  { name: 'ORCHID', ranges: ['2001:10::/28', '2001:20::/28'], known: [] },
  { name: 'documentation, IPv6', ranges: ['2001:db8::/32', '3fff::/20'], known: [] },
  { name: 'segment routing', ranges: ['5f00::/16'], known: [] },
  { name: 'unique local', ranges: ['fc00::/7'], known: ['fd00:ec2::254'] },
  { name: 'link-local, IPv6', ranges: ['fe80::/10'], known: ['fe80::a9fe:a9fe'] },
  { name: 'site-local', ranges: ['fec0::/10'], known: [] },
  { name: 'multicast, IPv6', ranges: ['ff00::/8'], known: ['ff02::1', 'ff05::2'] },
  { name: 'NAT64, well-known', ranges: ['64:ff9b::/96'], known: ['64:ff9b::8.8.8.8'] },
  { name: 'NAT64, local use', ranges: ['64:ff9b:1::/48'], known: [] },
  { name: '6to4', ranges: ['2002::/16'], known: ['2002:808:808::1'] },
  { name: 'Teredo', ranges: ['2001::/32'], known: ['2001:0:4136:e378:8000:63bf:3fff:fdd2'] },
]

/** Ways to write an IPv4 address into an IPv6 one. */
const DISGUISES: readonly (readonly [name: string, wear: (ipv4: Uint8Array) => Uint8Array])[] = [
  ['IPv4-mapped', (ipv4) => behind('::ffff:0:0', ipv4)],
  ['IPv4-compatible', (ipv4) => behind('::', ipv4)],
  ['IPv4-translated', (ipv4) => behind('::ffff:0:0:0', ipv4)],
  ['NAT64', (ipv4) => behind('64:ff9b::', ipv4)],
  ['local NAT64', (ipv4) => behind('64:ff9b:1::', ipv4)],
  ['6to4', (ipv4) => Uint8Array.of(0x20, 0x02, ...ipv4, ...new Uint8Array(9), 1)],
  [
    'Teredo',
    (ipv4) =>
      behind(
        '2001:0:808:808::',
        ipv4.map((byte) => byte ^ 0xff),
      ),
  ],
]

export const CLASSES: readonly AddressClass[] = [...IPV4, ...IPV6].map(({ name, ranges, known }) => ({
  name,
  addresses: [...new Set([...known, ...ranges.flatMap(endsOf)].map(canonical))],
}))

/** For each disguise, every representative of every IPv4 class. */
export const DISGUISED: readonly AddressClass[] = DISGUISES.map(([name, wear]) => ({
  name: `${name} of a denied address`,
  addresses: IPV4.flatMap(({ ranges, known }) => [...known, ...ranges.flatMap(endsOf)]).map((address) =>
    formatAddress(wear(parseAddress(address)!)),
  ),
}))

/** In every disguise. */
export function disguisesOf(address: string): string[] {
  const bytes = parseAddress(address)!
  return bytes.length === 4 ? DISGUISES.map(([, wear]) => formatAddress(wear(bytes))) : []
}

/** Reachable: without them a table in which everything is denied would prove nothing. */
export const REACHABLE = { 4: '8.8.4.4', 6: '2a00:1450::5' } as const

/** First and last address of a range. */
function endsOf(range: string): string[] {
  const [text = '', bits] = range.split('/')
  const first = parseAddress(text)!
  const last = first.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, Number(bits) - i * 8))))
  return [text, formatAddress(last)]
}

function behind(prefix: string, ipv4: Uint8Array): Uint8Array {
  const bytes = parseAddress(prefix)!.slice()
  bytes.set(ipv4, 12)
  return bytes
}

function canonical(address: string): string {
  return formatAddress(parseAddress(address)!)
}
