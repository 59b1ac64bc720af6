import { Class, encodeChannelData, MessageWriter, Method } from '@hairpin/stun'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StreamFramer } from '../../../src/net/streams/framer.ts'

const binding = Buffer.from(new MessageWriter(Method.Binding, Class.Request, new Uint8Array(12).fill(7)).finish())
const channelData = (length: number) => Buffer.from(encodeChannelData(0x4001, new Uint8Array(length).fill(9), true))
const frames = [binding, channelData(0), channelData(1), channelData(4), channelData(1201), binding, channelData(3)]
const stream = Buffer.concat(frames)

/** Frames that come out of the chunks, or undefined when the stream broke. */
function cut(chunks: readonly Buffer[], limit = 65_556): Buffer[] | undefined {
  const framer = new StreamFramer(limit)
  const got: Buffer[] = []
  for (const chunk of chunks) {
    const deliver = (frame: Buffer) => {
      got.push(frame)
      return true
    }
    if (!framer.push(chunk, deliver)) return undefined
  }
  return got
}

describe('framing of a stream', () => {
  it('gives the same frames wherever the stream is cut in two', () => {
    for (let at = 0; at <= stream.length; at++) {
      const got = cut([stream.subarray(0, at), stream.subarray(at)])
      expect(got?.map(({ length }) => length)).toEqual(frames.map(({ length }) => length))
      expect(stream.equals(Buffer.concat(got ?? []))).toBe(true)
    }
  })

  it('gives them when every byte comes alone', () => {
    expect(cut(Array.from(stream, (_, i) => stream.subarray(i, i + 1)))).toEqual(frames)
  })

  it('gives them for any cuts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length]
        expect(cut(at.slice(1).map((end, i) => stream.subarray(at[i], end)))).toEqual(frames)
      }),
    )
  })

  it.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: relay\r\n\r\n'],
    ['a TLS ClientHello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['the bits of neither', '\x80'],
    ['a STUN length that is not a multiple of four', '\x00\x01\x00\x05'],
    ['another cookie', '\x00\x01\x00\x00\x00\x00\x00\x00'],
  ])('breaks at %s, in one piece and byte by byte', (what, text) => {
    // HTTP begins like ChannelData of 18 kB: only the rule that STUN comes first (connection.ts) shuts it out.
    const limit = what === 'HTTP' ? 4096 : 65_556
    const bytes = Buffer.from(text, 'latin1')
    expect(cut([bytes], limit)).toBeUndefined()
    expect(
      cut(
        Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)),
        limit,
      ),
    ).toBeUndefined()
  })

  it('breaks at a frame over the limit before it has arrived', () => {
    expect(cut([channelData(4096).subarray(0, 4)], 4096)).toBeUndefined()
    expect(cut([channelData(4092)], 4096)).toHaveLength(1)
  })

  it('never throws on garbage, and holds no more than what came', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { maxLength: 50 }), (chunks) => {
        const framer = new StreamFramer(4096)
        for (const chunk of chunks) if (!framer.push(Buffer.from(chunk), () => true)) break
        expect(framer.held).toBeLessThanOrEqual(4096)
      }),
    )
  })

  it('stops in the middle of a chunk when it is told to', () => {
    let delivered = 0
    new StreamFramer(4096).push(stream, () => ++delivered < 2)
    expect(delivered).toBe(2)
  })
})
