import { describe, expect, it } from 'vitest'
import { readSelectedPair, type StatsEntry } from '../src/pair.ts'
import { CallStats, summarize } from '../src/stats.ts'
import { FakeTimers, settle } from './fakes/timers.ts'

interface Shape {
  local?: Record<string, unknown>
  remote?: Record<string, unknown>
  pair?: Record<string, unknown>
  transport?: boolean
}

function report({ local = {}, remote = {}, pair = {}, transport = true }: Shape = {}) {
  const entries: Record<string, unknown>[] = [
    { id: 'L', type: 'local-candidate', candidateType: 'host', protocol: 'udp', ...local },
    { id: 'R', type: 'remote-candidate', candidateType: 'host', protocol: 'udp', ...remote },
    { id: 'P0', type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'X', state: 'failed' },
    {
      id: 'P',
      type: 'candidate-pair',
      localCandidateId: 'L',
      remoteCandidateId: 'R',
      state: 'succeeded',
      nominated: true,
      currentRoundTripTime: 0.021,
      bytesSent: 1000,
      bytesReceived: 2000,
      ...pair,
    },
    { id: 'I', type: 'inbound-rtp', kind: 'video', framesDecoded: 30, packetsLost: 1, packetsReceived: 99 },
    { id: 'O', type: 'outbound-rtp', kind: 'video', framesSent: 31 },
    ...(transport ? [{ id: 'T', type: 'transport', selectedCandidatePairId: 'P' }] : []),
  ]
  return new Map(entries.map((entry) => [entry.id as string, entry as StatsEntry]))
}

describe('readSelectedPair', () => {
  it('names the dearer of both ends', () => {
    const kinds = (local: string, remote: string) =>
      readSelectedPair(report({ local: { candidateType: local }, remote: { candidateType: remote } }))?.kind
    expect(kinds('host', 'host')).toBe('host')
    expect(kinds('host', 'srflx')).toBe('srflx')
    expect(kinds('prflx', 'srflx')).toBe('prflx')
    expect(kinds('host', 'relay')).toBe('relay')
    expect(kinds('relay', 'host')).toBe('relay')
  })

  it('tells how this side reaches its relay, and only then', () => {
    const relayed = readSelectedPair(report({ local: { candidateType: 'relay', relayProtocol: 'tls' } }))
    expect(relayed).toEqual({
      kind: 'relay',
      localKind: 'relay',
      remoteKind: 'host',
      protocol: 'udp',
      relayProtocol: 'tls',
      roundTripTime: 0.021,
    })
    expect(readSelectedPair(report({ remote: { candidateType: 'relay' } }))?.relayProtocol).toBeUndefined()
  })

  it('finds the pair where an engine has no transport statistics', () => {
    expect(readSelectedPair(report({ transport: false }))?.kind).toBe('host')
    expect(readSelectedPair(report({ transport: false, pair: { nominated: false, selected: true } }))?.kind).toBe(
      'host',
    )
    expect(readSelectedPair(report({ transport: false, pair: { nominated: false } }))).toBeUndefined()
  })

  it('reads nothing from an empty report', () => {
    expect(readSelectedPair(new Map())).toBeUndefined()
    expect(summarize(new Map(), 0).sample).toMatchObject({ bytesIn: 0, framesDecoded: 0, lossIn: 0 })
  })
})

describe('CallStats', () => {
  it('makes bit rates of the bytes between two samples, and none across a change of path', async () => {
    const timers = new FakeTimers()
    let next = report()
    const stats = new CallStats({ getStats: async () => next, timers })
    const first = await stats.sample()
    expect(first.bitrateIn).toBeUndefined()
    expect(first).toMatchObject({ framesDecoded: 30, framesSent: 31, lossIn: 0.01 })

    timers.advance(2000)
    next = report({ pair: { bytesSent: 51_000, bytesReceived: 252_000 } })
    expect(await stats.sample()).toMatchObject({ bitrateIn: 1_000_000, bitrateOut: 200_000, bytesIn: 252_000 })

    timers.advance(1000)
    next = new Map([...report()].map(([id, entry]) => [id === 'P' ? 'Q' : id, { ...entry, id: id === 'P' ? 'Q' : id }]))
    next.set('T', { id: 'T', type: 'transport', selectedCandidatePairId: 'Q' })
    expect((await stats.sample()).bitrateIn).toBeUndefined()
  })

  it('samples in its rhythm until stopped, past reports that fail', async () => {
    const timers = new FakeTimers()
    let calls = 0
    const getStats = async () => {
      if (++calls === 2) throw new Error('closed')
      return report()
    }
    const stats = new CallStats({ getStats, timers, interval: 500 })
    let updates = 0
    stats.on('update', () => updates++)
    stats.start()
    stats.start()
    for (let tick = 0; tick < 3; tick++) {
      timers.advance(500)
      await settle()
    }
    stats.stop()
    timers.advance(5000)
    expect([calls, updates, timers.pending]).toEqual([3, 2, 0])
  })
})
