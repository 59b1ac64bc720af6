import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

const FORM = /^sha256=([\da-f]{64})$/i

/** Whether this may be a signature; if not, nobody needs to look at the body. */
export function isSignature(header: unknown): header is string {
  return typeof header === 'string' && FORM.test(header)
}

/**
 * Whether Meta signed these bytes.
 * @param header the value of X-Hub-Signature-256: `sha256=` and the HMAC of the raw body in hex
 */
export function isSigned(body: Buffer, header: unknown, appSecret: string): boolean {
  const [, hex] = typeof header === 'string' ? (FORM.exec(header) ?? []) : []
  if (hex === undefined) return false
  return timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha256', appSecret).update(body).digest())
}

/** Compares two texts in a time that tells nothing of where they differ. */
export function isSameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
