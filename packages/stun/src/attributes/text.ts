/** Text attributes: USERNAME (RFC 8489 section 14.3), REALM (14.9), NONCE (14.10), SOFTWARE (14.14). */

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Longest USERNAME in bytes (14.3: fewer than 509); REALM, NONCE and SOFTWARE may be up to 763. */
export const MAX_USERNAME = 508
export const MAX_TEXT = 763

export function encodeText(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** The text, or undefined when it is longer than `limit` bytes or is not UTF-8. */
export function decodeText(value: Uint8Array, limit: number = MAX_TEXT): string | undefined {
  if (value.length > limit) return undefined
  try {
    return decoder.decode(value)
  } catch {
    return undefined
  }
}
