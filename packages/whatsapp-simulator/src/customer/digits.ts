/** Digits as RTP payloads (RFC 4733 section 2.3): event, end bit and volume, duration. */

const EVENTS = '0123456789*#ABCD'
/** Units of 20 ms at the 8 kHz that WhatsApp names for payload type 126. */
const STEP = 160
/** Packets while the key is down, and those that tell of its end, which are sent three times (section 2.5.1.4). */
const [HELD, ENDS] = [5, 3]
const VOLUME = 10

export function isDigits(text: string): boolean {
  return text.length > 0 && text.length <= 32 && [...text].every((digit) => EVENTS.includes(digit))
}

/** The payloads of one key, in order, one every 20 ms; all have the timestamp of the first. */
export function digitPayloads(digit: string): Buffer[] {
  return Array.from({ length: HELD + ENDS }, (_, n) => {
    const payload = Buffer.from([EVENTS.indexOf(digit), (n < HELD ? 0 : 0x80) | VOLUME, 0, 0])
    payload.writeUInt16BE(STEP * Math.min(n + 1, HELD + 1), 2)
    return payload
  })
}

/** The key whose end this payload tells of. */
export function endedDigit(payload: Buffer): string | undefined {
  return payload.length === 4 && payload[1]! & 0x80 ? EVENTS[payload[0]!] : undefined
}
