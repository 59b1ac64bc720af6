import { expect, it } from 'vitest'
import { brokenRules } from '../src/index.ts'
import { businessSdp } from './support/business.ts'

const answer = businessSdp('active')

it('finds nothing wrong with what is right', () => {
  expect(brokenRules(answer, 'answer')).toEqual([])
  expect(brokenRules(businessSdp('actpass'), 'offer')).toEqual([])
})

const second = 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n'
it.each<[string, (sdp: string) => string]>([
  ['lines end with CR and LF', (sdp) => sdp.replace('\r\n', '\n')],
  ['lines end with CR and LF', (sdp) => sdp.trimEnd()],
  ['lines end with CR and LF', (sdp) => sdp.replaceAll('\r\n', '\\r\\n')],
  ['it begins with v=0', (sdp) => sdp.replace('v=0\r\n', '')],
  ['there is one m-line, of audio', (sdp) => `${sdp}${second}`],
  ['there is one m-line, of audio', (sdp) => sdp.replace('m=audio', 'm=video')],
  ['Opus is offered once, at 48 kHz', (sdp) => sdp.replace('opus/48000/2', 'PCMU/8000')],
  ['Opus is offered once, at 48 kHz', (sdp) => sdp.replace('SAVPF 111 ', 'SAVPF ')],
  ['telephone-event is 126', (sdp) => sdp.replaceAll('126', '101')],
  ['sha-256 fingerprint', (sdp) => sdp.replace('sha-256', 'sha-1')],
  ['sha-256 fingerprint', (sdp) => sdp.replace('AB:', '')],
  ['the DTLS role fits', (sdp) => sdp.replace('active', 'actpass')],
  ['the DTLS role fits', (sdp) => sdp.replace('active', 'passive')],
  ['one DTLS role', (sdp) => sdp.replace('a=setup:active', 'a=setup:active\r\na=setup:passive')],
  ['ICE credentials', (sdp) => sdp.replace(/a=ice-pwd.*\r\n/, '')],
  ['full ICE', (sdp) => sdp.replace('a=mid:0', 'a=ice-lite\r\na=mid:0')],
  ['candidates are in the SDP', (sdp) => sdp.replace(/a=candidate.*\r\n/, '')],
  ['candidates are in the SDP', (sdp) => sdp.replace('1 udp', '1 tcp')],
  ['no header extensions', (sdp) => sdp.replace('a=mid:0', 'a=extmap:1 urn:x\r\na=mid:0')],
  ['RTP and RTCP over one flow, both ways', (sdp) => sdp.replace('a=sendrecv', 'a=sendonly')],
  ['RTP and RTCP over one flow, both ways', (sdp) => sdp.replace('a=rtcp-mux\r\n', '')],
  ['one SSRC', (sdp) => sdp.replace(/a=ssrc.*\r\n/, '')],
  ['one SSRC', (sdp) => `${sdp}a=ssrc:78 cname:business\r\n`],
])('finds that not: %s', (rule, spoil) => {
  expect(brokenRules(spoil(answer), 'answer')).toContain(rule)
})

it('wants the offer to leave the DTLS role open', () => {
  expect(brokenRules(answer, 'offer')).toEqual(['the DTLS role fits'])
})
