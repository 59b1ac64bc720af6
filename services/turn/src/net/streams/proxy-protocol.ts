/**
 * PROXY protocol versions 1 and 2 (haproxy's proxy-protocol.txt): how a load balancer tells whom it forwards. Pure: bytes
 * in, an answer out. Optional fields (TLVs) are skipped.
 */
import { isIP } from 'node:net'
import { canonicalAddress, type Endpoint, formatAddress } from '@hairpin/stun'

/** Section 2.1: with the line end, the longest version 1 header. */
const V1_MAX = 107
/** Sixteen fixed bytes, then addresses and TLVs: more than this is no header that balancers send. */
const V2_MAX = 16 + 2048
const V1_START = Buffer.from('PROXY ')
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

export type ProxyHeader =
  | { readonly state: 'incomplete' }
  | { readonly state: 'invalid' }
  | {
      readonly state: 'done'
      /** Bytes of the header; what follows is the client's. */
      readonly length: number
      /** Undefined: the balancer speaks for itself (health checks), or does not know; its own address counts. */
      readonly source: Endpoint | undefined
    }

const INCOMPLETE = { state: 'incomplete' } as const
const INVALID = { state: 'invalid' } as const

/** Reads the header at the start of a connection. Never throws. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V2_START)) return bytes.length < 16 ? INCOMPLETE : readV2(bytes)
  if (startsLike(bytes, V1_START)) return readV1(bytes)
  return INVALID
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, length, 0, length) === 0
}

/** Section 2.1: `PROXY TCP4 source destination sourcePort destinationPort\r\n`. */
function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX).indexOf('\r\n')
  if (end < 0) return bytes.length < V1_MAX ? INCOMPLETE : INVALID
  const [, protocol, source = '', destination = '', sourcePort, destinationPort, ...rest] = bytes
    .toString('latin1', 0, end)
    .split(' ')
  const length = end + 2
  if (protocol === 'UNKNOWN') return { state: 'done', length, source: undefined }
  const family = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : undefined
  const port = portOf(sourcePort)
  const valid = family && isIP(source) === family && isIP(destination) === family && !source.includes('%')
  if (!valid || port === undefined || portOf(destinationPort) === undefined || rest.length > 0) return INVALID
  return done(length, canonicalAddress(source), port)
}

/** Decimal without a leading zero. */
function portOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9]\d{0,4})$/.test(text)) return undefined
  const port = Number(text)
  return port > 65_535 ? undefined : port
}

/** Section 2.2: signature(12), version and command, family and protocol, length(2), addresses, TLVs. */
function readV2(bytes: Buffer): ProxyHeader {
  const command = bytes[12]! & 0x0f
  if (bytes[12]! >> 4 !== 2 || command > 1) return INVALID
  const length = 16 + bytes.readUInt16BE(14)
  if (length > V2_MAX) return INVALID
  if (bytes.length < length) return INCOMPLETE
  const local: ProxyHeader = { state: 'done', length, source: undefined }
  if (command === 0) return local
  switch (bytes[13]) {
    case 0x11:
      return length < 16 + 12 ? INVALID : done(length, formatAddress(bytes.subarray(16, 20)), bytes.readUInt16BE(24))
    case 0x21:
      return length < 16 + 36 ? INVALID : done(length, formatAddress(bytes.subarray(16, 32)), bytes.readUInt16BE(48))
    // Unspecified: forwarded from somewhere that has no such address.
    case 0x00:
      return local
    default:
      return INVALID
  }
}

/** An IPv4-mapped address is its IPv4 client; port 0 is nobody's. */
function done(length: number, text: string | undefined, port: number): ProxyHeader {
  const address = text?.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text
  if (address === undefined || port === 0) return INVALID
  return { state: 'done', length, source: { address, port, family: address.includes(':') ? 6 : 4 } }
}
