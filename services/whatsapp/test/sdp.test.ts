import { brokenRules } from '@hairpin/whatsapp-simulator'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { businessSdp } from '../../../packages/whatsapp-simulator/test/support/business.ts'
import { readRemoteAudio, whatsappSdp, withPublicAddress } from '../src/core/sdp.ts'

const whole = businessSdp('actpass')
const good = whole.replace(/a=candidate.*\r\n/, '')

it('reads what media needs, whatever ends the lines, and leaves header extensions out', () => {
  const extended = good.replace('a=rtcp-mux', 'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtcp-mux')
  for (const sdp of [good, extended, good.replaceAll('\r\n', '\n'), good.replaceAll('\r\n', '\r'), `${good}\r\n`])
    expect(readRemoteAudio(sdp)).toEqual({ sdp: good, candidates: [], mid: '0', opus: 111, telephoneEvent: 126 })
})

it('hands candidates over apart, so that checks begin when the other side can answer them', () => {
  const candidate = 'candidate:1 1 udp 2122260223 192.0.2.1 3478 typ host'
  const sdp = good.replace('a=mid:0', `a=${candidate}\r\na=end-of-candidates\r\na=mid:0`)
  expect(readRemoteAudio(sdp)).toMatchObject({ sdp: good, candidates: [candidate] })
})

it('finds ice-lite wherever it stands, and puts it where the stack looks for it', () => {
  const lite = good.replace('m=audio', 'a=ice-lite\r\nm=audio')
  for (const sdp of [lite, good.replace('a=mid', 'a=ice-lite\r\na=mid'), `${good}a=ice-lite\r\n`])
    expect(readRemoteAudio(sdp)).toMatchObject({ sdp: lite })
})

it('takes the numbers of the other side, and does without digits', () => {
  const numbers = good.replaceAll('111', '109').replaceAll(' 126', ' 101').replace('rtpmap:126', 'rtpmap:101')
  expect(readRemoteAudio(numbers)).toMatchObject({ opus: 109, telephoneEvent: 101 })
  expect(readRemoteAudio(good.replace('telephone-event/8000', 'telephone-event/48000'))).toMatchObject({
    telephoneEvent: undefined,
  })
})

it.each([
  ['SDP_NOT_AUDIO', (sdp: string) => sdp.replace('m=audio', 'm=video')],
  ['SDP_NOT_AUDIO', (sdp: string) => `${sdp}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n`],
  ['SDP_NOT_AUDIO', (sdp: string) => sdp.replace('UDP/TLS/RTP/SAVPF', 'RTP/AVP')],
  ['SDP_NO_OPUS', (sdp: string) => sdp.replace('opus/48000/2', 'PCMU/8000')],
  ['SDP_NO_OPUS', (sdp: string) => sdp.replace('SAVPF 111 126', 'SAVPF 126')],
  ['SDP_NO_FINGERPRINT', (sdp: string) => sdp.replace('sha-256', 'sha-1')],
  ['SDP_NO_ICE', (sdp: string) => sdp.replace(/a=ice-pwd.*\r\n/, '')],
  ['SDP_NO_SETUP', (sdp: string) => sdp.replace('actpass', 'holdconn')],
  ['SDP_TOO_LONG', (sdp: string) => `${sdp}${'a=x\r\n'.repeat(4000)}`],
])('finds %s', (fault, spoil) => {
  expect(readRemoteAudio(spoil(good))).toBe(fault)
})

it('never throws', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(good.length), fc.nat(40), (text, at, length) => {
      readRemoteAudio(text)
      readRemoteAudio(good.slice(0, at) + text + good.slice(at + length))
    }),
    { numRuns: 500 },
  )
})

it("brings our SDP into Meta's form: role, lines, no extensions, packets of 20 ms", () => {
  const raw = whole.replaceAll('\r\n', '\n').replace('a=rtcp-mux', 'a=extmap-allow-mixed\na=extmap:3 urn:x\na=rtcp-mux')
  for (const type of ['offer', 'answer'] as const) {
    const sdp = whatsappSdp(raw, type)
    expect(brokenRules(sdp, type)).toEqual([])
    expect(sdp).toContain('a=ptime:20\r\n')
    expect(sdp).not.toContain('extmap')
  }
})

it('names the address outside of a 1:1 NAT once, and only where there is one', () => {
  const host = (address: string, port = 48_000) => `a=candidate:1 1 UDP 2114977791 ${address} ${port} typ host`
  const sdp = (...lines: string[]) => `${good}${lines.join('\r\n')}\r\n`
  const outside = 'a=candidate:19 1 UDP 1678770175 203.0.113.9 48000 typ srflx raddr 10.0.0.2 rport 48000'
  const [v6, own, bridge] = [host('fd00::2'), host('10.0.0.2'), host('172.17.0.1')]
  expect(withPublicAddress(sdp(v6, own, bridge), '203.0.113.9')).toBe(sdp(v6, own, outside, bridge))
  for (const same of [sdp(v6), sdp(host('203.0.113.9')), good])
    expect(withPublicAddress(same, '203.0.113.9')).toBe(same)
})
