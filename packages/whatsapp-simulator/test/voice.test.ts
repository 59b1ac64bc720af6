import { expect, it } from 'vitest'
import { digitPayloads, endedDigit, isDigits, melody, Voice } from '../src/index.ts'

const frame = (n: number) => Buffer.from([n])
const tune = Array.from({ length: 60 }, (_, n) => frame(n))
const speech = Array.from({ length: 100 }, (_, n) => frame(100 + n))

/** Lets 20 ms pass as often; what is said in each, by its first byte. */
function say(voice: Voice, times: number, from = 0, heard: readonly Buffer[] = []) {
  return Array.from({ length: times }, (_, n) => {
    const now = from + n * 20
    if (heard[n]) voice.hear(heard[n], now)
    return voice.next(now)?.payload[0]
  })
}
const bytes = (frames: readonly Buffer[]) => frames.map(([byte]) => byte)

it('plays the melody, then says back what it hears, a second later', () => {
  const voice = new Voice({ melody: tune })
  expect(say(voice, 60)).toEqual(bytes(tune))
  const said = say(voice, 150, 1200, speech)
  expect(said.slice(0, 50)).toEqual(Array(50).fill(undefined))
  expect(said.slice(50)).toEqual(bytes(speech))
})

it('does not say back what was said while it played', () => {
  const voice = new Voice({ melody: tune, delay: 200 })
  say(voice, 40, 0, speech)
  // The last 200 ms of the melody are time enough to listen.
  expect(say(voice, 20, 800)).toEqual(bytes(tune.slice(40)))
  expect(say(voice, 20, 1200).filter((byte) => byte !== undefined)).toEqual([])
})

it('plays again when nothing is heard for a while', () => {
  const voice = new Voice({ melody: tune, patience: 1000 })
  say(voice, 60, 10_000)
  say(voice, 1, 11_200, speech)
  const said = say(voice, 150, 11_220)
  expect(said.slice(49, 52)).toEqual([100, undefined, 0])
})

it('presses keys before it says anything, each with one timestamp, a marker and three ends', () => {
  const voice = new Voice({ melody: tune })
  voice.press('5#')
  const said = Array.from({ length: 27 }, (_, n) => voice.next(n * 20))
  const keys = said.flatMap((utterance) => (utterance?.digit ? utterance : []))
  expect(keys.map(({ slot }) => slot)).toEqual([...Array(8).fill(0), ...Array(8).fill(13)])
  expect(keys.map(({ marker }) => marker).filter(Boolean)).toHaveLength(2)
  expect(keys.flatMap(({ payload }) => endedDigit(payload) ?? [])).toEqual(['5', '5', '5', '#', '#', '#'])
  expect(said.slice(26)).toMatchObject([{ payload: tune[0], slot: 26, digit: false }])
})

it('writes keys as RFC 4733 wants them', () => {
  expect(digitPayloads('0').map((payload) => payload.toString('hex'))).toEqual([
    ...['000a00a0', '000a0140', '000a01e0', '000a0280', '000a0320'],
    ...Array(3).fill('008a03c0'),
  ])
  expect(digitPayloads('D')[0]?.[0]).toBe(15)
  expect(['123*#A', '', 'x', '1 2', '1'.repeat(33)].map(isDigits)).toEqual([true, false, false, false, false])
})

it('has seven seconds of Opus in frames of 20 ms', () => {
  expect(melody().length).toBeGreaterThanOrEqual(350)
  for (const [toc = 0] of melody()) {
    // RFC 6716 section 3.1: one frame; configurations of 20 ms; mono.
    expect(toc & 0b111).toBe(0)
    const config = toc >> 3
    const twenty = config < 12 ? config % 4 === 1 : config < 16 ? config % 2 === 1 : config % 4 === 3
    expect(twenty).toBe(true)
  }
})
