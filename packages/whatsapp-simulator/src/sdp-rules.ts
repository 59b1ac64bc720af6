/** What Meta demands of a business's SDP, checked apart from the code under test. */

/** A sentence for each rule that is broken. */
export function brokenRules(sdp: string, type: 'offer' | 'answer'): string[] {
  const lines = sdp.split('\r\n')
  const broken: string[] = []
  const demand = (holds: boolean, rule: string) => {
    if (!holds) broken.push(rule)
  }
  const count = (start: string) => lines.filter((line) => line.startsWith(start)).length
  demand(!/[^\r]\n|\r[^\n]/.test(sdp) && sdp.endsWith('\r\n'), 'lines end with CR and LF')
  demand(lines[0] === 'v=0', 'it begins with v=0')
  demand(count('m=') === 1 && count('m=audio ') === 1, 'there is one m-line, of audio')
  const opus = lines.flatMap((line) => /^a=rtpmap:(\d+) opus\/48000\/2$/i.exec(line)?.[1] ?? [])
  const formats =
    lines
      .find((line) => line.startsWith('m=audio'))
      ?.split(' ')
      .slice(3) ?? []
  demand(opus.length === 1 && formats.includes(opus[0] ?? ''), 'Opus is offered once, at 48 kHz')
  demand(formats.includes('126') && lines.includes('a=rtpmap:126 telephone-event/8000'), 'telephone-event is 126')
  demand(
    lines.some((line) => /^a=fingerprint:sha-256 ([\dA-F]{2}:){31}[\dA-F]{2}$/.test(line)),
    'sha-256 fingerprint',
  )
  demand(lines.includes(type === 'answer' ? 'a=setup:active' : 'a=setup:actpass'), 'the DTLS role fits')
  demand(count('a=setup:') === 1, 'one DTLS role')
  demand(count('a=ice-ufrag:') === 1 && count('a=ice-pwd:') === 1, 'ICE credentials')
  demand(!lines.includes('a=ice-lite'), 'full ICE')
  const candidate = /^a=candidate:\S+ 1 udp \d+ \S+ \d+ typ (host|srflx|prflx|relay)/i
  demand(
    lines.some((line) => candidate.test(line)),
    'candidates are in the SDP',
  )
  demand(count('a=extmap:') === 0, 'no header extensions')
  demand(lines.includes('a=rtcp-mux') && lines.includes('a=sendrecv'), 'RTP and RTCP over one flow, both ways')
  demand(new Set(lines.flatMap((line) => /^a=ssrc:(\d+)/.exec(line)?.[1] ?? [])).size === 1, 'one SSRC')
  return broken
}
