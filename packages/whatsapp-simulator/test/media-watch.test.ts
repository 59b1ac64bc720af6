import { expect, it } from 'vitest'
import { MediaWatch } from '../src/index.ts'

const speech = { payloadType: 111, ssrc: 7, extension: false, csrc: [] as number[] }
const payload = Buffer.alloc(60)

/** A stream of which a test changes what it wants; `broken` are the rules that were. */
function stream({ mayTalk = true } = {}) {
  const broken: string[] = []
  const watch = new MediaWatch({
    opus: 111,
    telephoneEvent: 126,
    mayTalk: () => mayTalk,
    onViolation: (rule) => broken.push(rule),
  })
  let [sequence, timestamp] = [65_530, 4_294_960_000]
  const send = (header: Partial<typeof speech> = {}, { step = 960, skip = 1, bytes = payload } = {}) => {
    sequence = (sequence + skip) & 0xffff
    timestamp = (timestamp + step) >>> 0
    const whole = { ...speech, sequenceNumber: sequence, timestamp, ...header }
    watch.rtp({ header: whole, payload: bytes }, 1000)
  }
  return { watch, broken, send }
}

function repeat(times: number, act: () => void): void {
  for (let n = 0; n < times; n++) act()
}

it('finds nothing wrong with speech, silence, loss and digits', () => {
  const { watch, broken, send } = stream()
  for (let n = 0; n < 20; n++) send()
  send({}, { step: 960 * 50 })
  send({}, { step: 960 * 4, skip: 4 })
  for (let n = 0; n < 3; n++) send({ payloadType: 126 }, { step: 0, bytes: Buffer.from([5, 0x8a, 3, 0x20]) })
  // A stream that goes on after another page took over: by the time that passed.
  send({}, { step: 47_123 })
  watch.rtcp(1000)
  expect([broken, watch.packets, watch.digits, watch.reports]).toEqual([[], 26, 3, 1])
})

it.each<[string, (send: ReturnType<typeof stream>['send']) => void]>([
  ['ssrc', (send) => send({ ssrc: 8 })],
  ['header-extension', (send) => send({ extension: true })],
  ['csrc', (send) => send({ csrc: [1] })],
  ['payload-type', (send) => send({ payloadType: 101 })],
  ['step', (send) => send({}, { step: 480 })],
  ['step', (send) => send({}, { step: 0 })],
  ['step', (send) => send({}, { step: -960 })],
  ['step', (send) => repeat(3, () => send({}, { step: 2880 }))],
  ['digit', (send) => send({ payloadType: 126 }, { bytes: Buffer.alloc(3) })],
  ['digit', (send) => send({ payloadType: 126 }, { bytes: Buffer.from([17, 0x8a, 3, 0x20]) })],
])('finds %s', (rule, spoil) => {
  const { broken, send } = stream()
  send()
  send()
  spoil(send)
  expect(broken).toEqual([rule])
})

it('counts what comes before it is allowed, and tells once', () => {
  const { watch, broken, send } = stream({ mayTalk: false })
  for (let n = 0; n < 3; n++) send()
  expect([broken, watch.early]).toEqual([['media-before-accept'], 3])
})
