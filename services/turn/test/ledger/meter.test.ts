import { describe, expect, it } from 'vitest'
import { headerBytes, slot, type Totals } from '../../src/ledger/counters.ts'
import { Meter, type MeterEntry } from '../../src/ledger/meter.ts'
import { batch, counters, snapshot, T0 } from './helpers.ts'

const only = (entries: MeterEntry[]): MeterEntry => {
  expect(entries).toHaveLength(1)
  return entries[0]!
}
const payload = (totals: Totals) => totals[slot.to_client_payload]

describe('wire bytes', () => {
  it.each([
    // IP + UDP, TCP with timestamps, and in it a TLS 1.3 record
    ['udp', 4, 20 + 8],
    ['udp', 6, 40 + 8],
    ['tcp', 4, 20 + 32],
    ['tcp', 6, 40 + 32],
    ['tls', 4, 20 + 32 + 22],
    ['tls', 6, 40 + 32 + 22],
  ] as const)('add the header of every packet on %s over IPv%i', (transport, family, bytes) => {
    expect(headerBytes(transport, family)).toBe(bytes)
  })

  it('count framing to the client, and the peer side as UDP of the relayed family', () => {
    const { delta } = only(
      new Meter().observe(
        batch([
          snapshot({
            transport: 'tcp',
            family: 6,
            clientFamily: 4,
            counters: counters({
              fromClientPayload: 1000,
              fromClientFramed: 1040,
              fromClientPackets: 10,
              toClientPayload: 500,
              toClientFramed: 520,
              toClientPackets: 5,
              fromPeerPayload: 500,
              fromPeerPackets: 5,
              toPeerPayload: 1000,
              toPeerPackets: 10,
              localToPeerPayload: 300,
              localToPeerPackets: 3,
            }),
          }),
        ]),
      ),
    )
    // to and from the client 52 each (IPv4 + TCP), to and from the peer 48 each (IPv6 + UDP)
    expect([...delta.slice(0, 14)]).toEqual([
      1000,
      1040 + 520,
      10,
      500,
      520 + 260,
      5,
      500,
      500 + 240,
      5,
      1000,
      1000 + 480,
      10,
      0,
      300 + 144,
    ])
  })
})

describe('the meter', () => {
  const at = (ms: number, toClientPayload: number, values = {}) =>
    batch([snapshot({ counters: counters({ toClientPayload }), ...values })], { at: T0 + ms })

  it('reports what is new since the report before, in the minute it was read', () => {
    const meter = new Meter()
    expect(payload(only(meter.observe(at(59_000, 100))).delta)).toBe(100)
    const next = only(meter.observe(at(60_500, 250)))
    expect([payload(next.delta), payload(next.total), next.minute]).toEqual([150, 250, T0 + 60_000])
    expect([next.delta[slot.duration_ms], next.total[slot.duration_ms]]).toEqual([1_500, 60_500])
  })

  it('counts an allocation once, however often it reports', () => {
    const meter = new Meter()
    const entries = [0, 1000, 2000, 3000].flatMap((ms) => meter.observe(at(ms, ms)))
    expect(entries.map(({ delta }) => delta[slot.allocations])).toEqual([1, 0, 0, 0])
  })

  it('counts nothing for a repeated or late report', () => {
    const meter = new Meter()
    meter.observe(at(2000, 300))
    expect(meter.observe(at(2000, 300))).toEqual([])
    expect(meter.observe(at(1000, 100))).toEqual([])
    expect(payload(only(meter.observe(at(3000, 310))).delta)).toBe(10)
  })

  it('counts a worker that started again from zero under its new epoch', () => {
    const meter = new Meter()
    meter.observe(at(0, 500))
    const again = only(meter.observe({ ...at(1000, 70), epoch: 'e2' }))
    expect(payload(again.delta)).toBe(70)
    expect(again.delta[slot.allocations]).toBe(1)
  })

  it('hears the last report of an allocation once', () => {
    const meter = new Meter()
    meter.observe(at(0, 10))
    const last = at(1000, 30, { closedAt: T0 + 700 })
    const end = only(meter.observe(last))
    expect([payload(end.delta), end.closedAt, end.total[slot.duration_ms]]).toEqual([20, T0 + 700, 700])
    expect(meter.observe(last)).toEqual([])
    expect(meter.size).toBe(0)
  })

  it('closes what a dead worker left open where it was last heard of, and hears no more of it', () => {
    const meter = new Meter()
    meter.observe(at(5_000, 10))
    const end = only(meter.endEpoch('e1', T0 + 9_000))
    expect([end.closedAt, payload(end.delta), payload(end.total)]).toEqual([T0 + 5_000, 0, 10])
    expect(meter.endEpoch('e1', T0 + 9_000)).toEqual([])
    expect(meter.observe(at(10_000, 20))).toEqual([])
    expect(meter.size).toBe(0)
  })

  it('forgets closed allocations after a while', () => {
    const meter = new Meter(undefined, 1000)
    meter.observe(at(0, 1, { closedAt: T0 }))
    meter.observe(batch([], { at: T0 + 1000 }))
    expect(meter.size).toBe(0)
    // The id may come again; the store still knows it.
    expect(meter.observe(at(2000, 1))).toHaveLength(1)
  })
})
