import { describe, expect, test } from 'vitest'
import { STAMP, seqAt, stampAt, Template, timeAt } from '../../bench/signaling/load/frame.ts'

describe('a stamped message', () => {
  test.each([10, 200, 70_000])('of about %i bytes is a masked frame with its number and its time', (size) => {
    const message = JSON.stringify({ padding: 'ä'.repeat(size / 2), stamp: STAMP })
    const frames = new Template(message).stamped(2, 41, 1_234_567)
    const header = size < 126 - STAMP.length ? 6 : size < 65_536 ? 8 : 14
    const length = Buffer.byteLength(message)
    expect(frames.length).toBe(2 * (header + length))
    for (const [i, frame] of [frames.subarray(0, header + length), frames.subarray(header + length)].entries()) {
      expect(frame[0]).toBe(0x81)
      expect(frame[1]! & 0x80).toBe(0x80)
      const key = frame.subarray(header - 4, header)
      const payload = Buffer.from(frame.subarray(header).map((byte, at) => byte ^ key[at & 3]!))
      const stamp = stampAt(payload, 0, payload.length)
      expect(seqAt(payload, stamp)).toBe(41 + i)
      expect(timeAt(payload, stamp)).toBe(1_234_567)
      expect(JSON.parse(payload.toString())).toMatchObject({ padding: 'ä'.repeat(size / 2) })
    }
  })
})
