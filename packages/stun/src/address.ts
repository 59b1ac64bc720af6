/**
 * Text and bytes of IP addresses. The text is canonical: exactly what Node's `rinfo.address` prints, so that addresses
 * from STUN attributes and from sockets compare as strings. That is RFC 5952 with one difference, kept on purpose:
 * addresses of ::/96 and ::ffff:0:0/96 end in dotted IPv4 (libuv's inet_ntop prints `::ffff:1.2.3.4`, `::0.1.0.2`).
 */
import { readU16, writeU16 } from './bytes.ts'

/** @param bytes 4 or 16 of them. */
export function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? formatIPv4(bytes, 0) : formatIPv6(bytes)
}

function formatIPv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
}

function formatIPv6(bytes: Uint8Array): string {
  const { start, length } = longestZeroRun(bytes)
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i >= start && i < start + length) {
      if (i === start) text += ':'
      continue
    }
    if (i !== 0) text += ':'
    if (i === 6 && start === 0 && (length === 6 || (length === 5 && readU16(bytes, 10) === 0xffff)))
      return text + formatIPv4(bytes, 12)
    text += readU16(bytes, i * 2).toString(16)
  }
  return start + length === 8 && length > 0 ? `${text}:` : text
}

/** The first longest run of two or more zero groups; length 0 when there is none. */
function longestZeroRun(bytes: Uint8Array): { start: number; length: number } {
  let best = { start: -1, length: 0 }
  let run = 0
  for (let i = 0; i < 8; i++) {
    run = readU16(bytes, i * 2) === 0 ? run + 1 : 0
    if (run > best.length && run >= 2) best = { start: i - run + 1, length: run }
  }
  return best
}

/**
 * 4 or 16 bytes of an address in any accepted spelling (a `%zone` is dropped), or undefined if it is not an address.
 * IPv4 is strict dotted decimal: no octal, no short forms, which have been a way around deny lists.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text)
}

function parseIPv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4)
  let index = 0
  let value = 0
  let digits = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 46
    if (code === 46) {
      if (digits === 0 || index > 3) return undefined
      bytes[index++] = value
      value = 0
      digits = 0
    } else {
      if (code < 48 || code > 57 || (digits > 0 && value === 0)) return undefined
      value = value * 10 + code - 48
      digits++
      if (value > 255) return undefined
    }
  }
  return index === 4 ? bytes : undefined
}

function parseIPv6(text: string): Uint8Array | undefined {
  const zone = text.indexOf('%')
  const plain = zone < 0 ? text : text.slice(0, zone)
  const halves = plain.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : []
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const bytes = new Uint8Array(16)
  head.forEach((group, i) => {
    writeU16(bytes, i * 2, group)
  })
  tail.forEach((group, i) => {
    writeU16(bytes, (head.length + missing + i) * 2, group)
  })
  return bytes
}

function parseGroups(text: string, mayEndInIPv4: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (part.includes('.')) {
      const quad = mayEndInIPv4 && i === parts.length - 1 ? parseIPv4(part) : undefined
      if (!quad) return undefined
      groups.push(readU16(quad, 0), readU16(quad, 2))
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

/** Canonical text of an address in any accepted spelling, or undefined. */
export function canonicalAddress(text: string): string | undefined {
  const bytes = parseAddress(text)
  return bytes && formatAddress(bytes)
}

/** Of an address in text. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}
