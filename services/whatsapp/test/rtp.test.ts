import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isRtcp, keepAliveReport, RtpRelay } from '../src/core/rtp.ts'

interface Fields {
  type?: number
  sequence?: number
  timestamp?: number
  ssrc?: number
  marker?: boolean
  csrcs?: number[]
  /** Words of a header extension. */
  extension?: Buffer
}

function rtp(payload: Buffer, fields: Fields = {}): Buffer {
  const { type = 111, sequence = 1, timestamp = 960, ssrc = 5, marker = false, csrcs = [], extension } = fields
  const header = Buffer.alloc(12 + csrcs.length * 4)
  header[0] = 0x80 | csrcs.length | (extension ? 0x10 : 0)
  header[1] = type | (marker ? 0x80 : 0)
  header.writeUInt16BE(sequence, 2)
  header.writeUInt32BE(timestamp, 4)
  header.writeUInt32BE(ssrc, 8)
  for (const [n, csrc] of csrcs.entries()) header.writeUInt32BE(csrc, 12 + n * 4)
  const head = Buffer.from([0xbe, 0xde, 0, (extension?.length ?? 0) / 4])
  return Buffer.concat([header, ...(extension ? [head, extension] : []), payload])
}

const payloadTypes = new Map([
  [111, 96],
  [126, 126],
])
const relay = () => new RtpRelay({ ssrc: 0xabcd, payloadTypes })
const read = (packet: Buffer | undefined) =>
  packet && {
    bits: packet[0],
    type: packet[1]! & 0x7f,
    marker: packet[1]! >> 7 === 1,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payload: packet.subarray(12),
  }

it('passes payload, sequence number, timestamp and marker; SSRC and payload type are the other side’s', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 1200 }),
      fc.nat(0xffff),
      fc.nat(0xffff_ffff),
      fc.boolean(),
      fc.array(fc.nat(0xffff_ffff), { maxLength: 15 }),
      fc.option(fc.nat(20), { nil: undefined }),
      (bytes, sequence, timestamp, marker, csrcs, words) => {
        const payload = Buffer.from(bytes)
        const extension = words === undefined ? {} : { extension: Buffer.alloc(words * 4, 0x51) }
        const packet = rtp(payload, { sequence, timestamp, marker, csrcs, ...extension })
        const out = { bits: 0x80, type: 96, marker, sequence, timestamp, ssrc: 0xabcd, payload }
        expect(read(relay().relay(packet, 0))).toEqual(out)
      },
    ),
  )
})

it('keeps telephone-event apart from speech, and drops other payload types', () => {
  const out = relay()
  expect(read(out.relay(rtp(Buffer.from([5, 0x8a, 3, 0x20]), { type: 126, marker: true }), 0))).toMatchObject({
    type: 126,
    marker: true,
    payload: Buffer.from([5, 0x8a, 3, 0x20]),
  })
  expect(out.relay(rtp(Buffer.alloc(10), { type: 13 }), 0)).toBeUndefined()
})

it('goes on without a gap when another source comes, by the time that passed', () => {
  const out = relay()
  out.relay(rtp(Buffer.alloc(1), { sequence: 65_535, timestamp: 0xffff_fff0 }), 1000)
  const second = rtp(Buffer.alloc(1), { sequence: 7, timestamp: 100, ssrc: 6 })
  expect(read(out.relay(second, 1500))).toMatchObject({
    sequence: 0,
    timestamp: (0xffff_fff0 + 24_000) >>> 0,
    ssrc: 0xabcd,
  })
  const next = rtp(Buffer.alloc(1), { sequence: 8, timestamp: 1060, ssrc: 6 })
  expect(read(out.relay(next, 1520))).toMatchObject({ sequence: 1, timestamp: (0xffff_fff0 + 24_960) >>> 0 })
})

it('leaves no gap for what was not passed on during a pause, however long', () => {
  const out = relay()
  out.relay(rtp(Buffer.alloc(1), { sequence: 10, timestamp: 9600 }), 1000)
  out.resume()
  const packet = rtp(Buffer.alloc(1), { sequence: 50_010, timestamp: 48_009_600 })
  expect(read(out.relay(packet, 1_001_000))).toMatchObject({ sequence: 11, timestamp: 48_009_600 })
  const next = rtp(Buffer.alloc(1), { sequence: 50_011, timestamp: 48_010_560 })
  expect(read(out.relay(next, 1_001_020))).toMatchObject({ sequence: 12, timestamp: 48_010_560 })
})

it('keeps the order of packets that were reordered, also before another source', () => {
  const out = relay()
  for (const sequence of [10, 12, 11]) out.relay(rtp(Buffer.alloc(1), { sequence, timestamp: sequence * 960 }), 0)
  expect(read(out.relay(rtp(Buffer.alloc(1), { sequence: 900, ssrc: 6 }), 20))).toMatchObject({ sequence: 13 })
})

it('never throws, and passes nothing that is not RTP', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const packet = Buffer.from(bytes)
      const out = relay().relay(packet, 0)
      if (packet.length < 12 || packet[0]! >> 6 !== 2) expect(out).toBeUndefined()
    }),
    { numRuns: 1000 },
  )
  expect(relay().relay(keepAliveReport(5, 'x'), 0)).toBeUndefined()
})

it('makes a compound of a receiver report and a CNAME, whole words long', () => {
  for (const name of ['hairpin', 'a', 'four', 'sixsix']) {
    const report = keepAliveReport(0x0102_0304, name)
    expect(isRtcp(report)).toBe(true)
    expect(report.subarray(0, 8).toString('hex')).toBe('80c9000101020304')
    const words = report.readUInt16BE(10)
    expect(report.length).toBe(8 + 4 + words * 4)
    expect(report.subarray(18, 18 + report[17]!).toString()).toBe(name)
    expect(report.at(-1)).toBe(0)
  }
})
