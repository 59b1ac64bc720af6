/**
 * The prefix of a source address as numbers, read from its text without making a string, array or object: this runs for
 * every datagram of an unauthenticated flood.
 */

/** Words of the prefix last read by `readPrefix`, high first, host bits cleared. Valid until the next call. */
export const prefix = new Uint32Array(4)

const groups = new Uint16Array(8)

/**
 * Reads canonical text (what sockets give; a `%zone` is ignored) into `prefix`, cut to `bits4` or `bits6`.
 * An IPv4-mapped address counts as the IPv4 address it carries. Returns the family; 0 for text that is no address.
 */
export function readPrefix(address: string, bits4: number, bits6: number): 4 | 6 | 0 {
  prefix.fill(0)
  if (!isIPv6(address)) {
    const value = readIPv4(address, 0)
    if (value < 0) return 0
    prefix[0] = value
    cut(bits4)
    return 4
  }
  if (!readGroups(address)) return 0
  for (let i = 0; i < 4; i++) prefix[i] = ((groups[2 * i]! << 16) | groups[2 * i + 1]!) >>> 0
  if (prefix[0] === 0 && prefix[1] === 0 && prefix[2] === 0xffff) {
    prefix[0] = prefix[3]!
    prefix[2] = 0
    prefix[3] = 0
    cut(bits4)
    return 4
  }
  cut(bits6)
  return 6
}

function isIPv6(address: string): boolean {
  for (let i = 0; i < 5 && i < address.length; i++) if (address.charCodeAt(i) === 58) return true
  return false
}

/** Thirty-two bits, or -1. */
function readIPv4(address: string, start: number): number {
  let value = 0
  let octet = 0
  let dots = 0
  let at = start
  for (; at < address.length; at++) {
    const code = address.charCodeAt(at)
    if (code === 46) {
      value = value * 256 + octet
      octet = 0
      dots++
    } else if (code >= 48 && code <= 57) octet = octet * 10 + code - 48
    else break
    if (octet > 255) return -1
  }
  return dots === 3 ? value * 256 + octet : -1
}

function readGroups(address: string): boolean {
  groups.fill(0)
  let count = 0
  let gap = -1
  let at = 0
  if (address.charCodeAt(0) === 58) at = 1
  while (at < address.length && count < 8) {
    if (address.charCodeAt(at) === 58) {
      gap = count
      at++
      continue
    }
    const start = at
    let group = 0
    for (; at < address.length; at++) {
      const digit = hexDigit(address.charCodeAt(at))
      if (digit < 0) break
      group = group * 16 + digit
    }
    const end = address.charCodeAt(at)
    if (end === 46) {
      const tail = readIPv4(address, start)
      if (tail < 0 || count > 6) return false
      groups[count++] = tail >>> 16
      groups[count++] = tail & 0xffff
      break
    }
    if (at === start || group > 0xffff) return false
    groups[count++] = group
    if (end !== 58) break
    at++
  }
  if (count === 8) return gap < 0 || gap === 8
  if (gap < 0) return false
  const tail = count - gap
  for (let i = 1; i <= tail; i++) {
    groups[8 - i] = groups[count - i]!
    if (count - i < 8 - tail) groups[count - i] = 0
  }
  return true
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

function cut(bits: number): void {
  for (let i = 0; i < 4; i++) {
    const kept = bits - 32 * i
    if (kept <= 0) prefix[i] = 0
    else if (kept < 32) prefix[i] = (prefix[i]! & (-1 << (32 - kept))) >>> 0
  }
}
