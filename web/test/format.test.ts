import { describe, expect, it } from 'vitest'
import { bitrate, duration, endText, pathName, roundTrip, transportName } from '../src/format.ts'

describe('format', () => {
  it('writes bit rates in three digits at most', () => {
    expect([undefined, 0, 840_400, 1_240_000, 25_400_000].map(bitrate)).toEqual([
      '–',
      '0 kbit/s',
      '840 kbit/s',
      '1.2 Mbit/s',
      '25 Mbit/s',
    ])
  })

  it('writes round trips and durations', () => {
    expect([undefined, 0.0004, 0.0214].map(roundTrip)).toEqual(['–', '< 1 ms', '21 ms'])
    expect([-5, 65_000, 3_723_000].map(duration)).toEqual(['0:00', '1:05', '1:02:03'])
  })

  it('names the path by WebRTC’s word and the hop to the relay by its transport', () => {
    const pair = {
      kind: 'relay',
      localKind: 'relay',
      remoteKind: 'host',
      protocol: 'udp',
      relayProtocol: 'tcp',
    } as const
    expect(pathName(pair)).toContain('relay')
    expect(transportName(pair)).toBe('TCP')
    expect(pathName({ ...pair, kind: 'prflx' })).toContain('prflx')
    expect(transportName({ kind: 'host', localKind: 'host', remoteKind: 'host', protocol: 'udp' })).toBe('UDP')
  })

  it('tells each side of an end in its own words', () => {
    const outgoing = { peer: 'bob', direction: 'outgoing', connectedAt: undefined } as const
    const incoming = { peer: 'bob', direction: 'incoming', connectedAt: undefined } as const
    expect(endText({ ...outgoing, connectedAt: 1 }, { reason: 'hang-up', by: 'remote' })).toBe('bob hung up.')
    expect(endText(outgoing, { reason: 'hang-up', by: 'remote' })).toBe('bob hung up before the call was connected.')
    expect(endText(outgoing, { reason: 'hang-up', by: 'local' })).toBe('Call ended.')
    expect(endText(outgoing, { reason: 'rejected', by: 'remote' })).toBe('bob declined.')
    expect(endText(incoming, { reason: 'rejected', by: 'local' })).toBe('You declined bob’s call.')
    expect(endText(incoming, { reason: 'cancelled', by: 'remote' })).toBe('bob called and gave up.')
    expect(endText(incoming, { reason: 'answered-elsewhere', by: 'remote' })).toMatch(/another device/)
    expect(endText(outgoing, { reason: 'no-answer', by: 'remote' })).toBe('bob did not answer.')
    expect(endText(incoming, { reason: 'no-answer', by: 'remote' })).toBe('You missed bob’s call.')
  })
})
