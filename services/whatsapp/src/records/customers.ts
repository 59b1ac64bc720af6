/** What is kept of a customer's number. */
import { createHmac } from 'node:crypto'

/** Digits that are kept, of numbers that are long enough to hide the rest. */
const SHOWN = 4

export interface Customers {
  /** For people: the whole number, or `…4567`. */
  shown(number: string | undefined): string | null
  /** The same for all calls of a customer: 16 hex digits that nobody without the key can lead back to the number. */
  hash(number: string | undefined): string | null
  /** What is kept of Meta's id of a call, which has the number in it. */
  callId(id: string): string
}

/** @param secret of this installation */
export function customers(secret: string, full: boolean): Customers {
  const hash = (kind: string, text: string) =>
    createHmac('sha256', secret).update(`hairpin whatsapp ${kind}\0${text}`).digest('hex').slice(0, 16)
  return {
    shown(number) {
      if (number === undefined) return null
      return full ? number : `…${number.length > 2 * SHOWN ? number.slice(-SHOWN) : ''}`
    },
    hash: (number) => (number === undefined ? null : hash('customer', number)),
    callId: (id) => (full ? id : hash('call', id)),
  }
}
