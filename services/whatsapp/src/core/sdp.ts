/**
 * The two SDPs of a WhatsApp call (RFC 8866, RFC 8829): theirs is checked, ours is brought into the form that Meta takes.
 * One m=audio with Opus, telephone-event at 8 kHz beside it, no header extensions, lines that end with CR and LF.
 */

/** What media needs to know of the other side's SDP. */
export interface RemoteAudio {
  /** The SDP with CR and LF, without the header extensions that are not to be negotiated, and without candidates. */
  readonly sdp: string
  /** `candidate:…` lines that can be used, of UDP and with an address: checks begin when they are handed over. */
  readonly candidates: readonly string[]
  readonly mid: string
  /** Payload types. */
  readonly opus: number
  /** Of telephone-event/8000 (RFC 4733); undefined: that side takes no digits. */
  readonly telephoneEvent: number | undefined
}

export type SdpFault =
  | 'SDP_NOT_AUDIO'
  | 'SDP_NO_OPUS'
  | 'SDP_NO_FINGERPRINT'
  | 'SDP_NO_ICE'
  | 'SDP_NO_SETUP'
  | 'SDP_TOO_LONG'
  /** Of a browser in direct mode. */
  | 'SDP_NOT_ACTIVE'
  | 'SDP_NO_CANDIDATES'
  | 'SDP_EXTENSIONS'

/** Characters; a browser's offer of one audio track has about 2000. */
const LENGTH_LIMIT = 16_384

/** The payload type that WhatsApp uses for digits. */
export const TELEPHONE_EVENT = 126
/** The one we offer for Opus, which is the browsers' and Meta's. */
export const OPUS = 111
/** `fmtp` parameters of Opus that we ask for: forward error correction, as browsers do (RFC 7587 section 6.1). */
export const OPUS_PARAMETERS = 'minptime=10;useinbandfec=1'

/** Reads an offer or answer; a fault instead of what cannot carry a call. */
export function readRemoteAudio(sdp: string): RemoteAudio | SdpFault {
  if (sdp.length > LENGTH_LIMIT) return 'SDP_TOO_LONG'
  const lines = linesOf(sdp)
  const media = lines.filter((line) => line.startsWith('m='))
  const [kind, , profile, ...formats] = media[0]?.slice(2).split(' ') ?? []
  if (media.length !== 1 || kind !== 'audio' || !profile?.includes('RTP/SAVP')) return 'SDP_NOT_AUDIO'
  const opus = payloadType(lines, formats, /^opus\/48000\/2$/i)
  if (opus === undefined) return 'SDP_NO_OPUS'
  if (!lines.some((line) => /^a=fingerprint:sha-256 /i.test(line))) return 'SDP_NO_FINGERPRINT'
  if (!value(lines, 'ice-ufrag') || !value(lines, 'ice-pwd')) return 'SDP_NO_ICE'
  if (!/^(actpass|active|passive)$/.test(value(lines, 'setup') ?? '')) return 'SDP_NO_SETUP'
  return {
    sdp: join(liteFirst(lines).filter((line) => !/^a=(extmap|candidate:|end-of-candidates)/.test(line))),
    candidates: lines.filter(isUsable).map((line) => line.slice(2)),
    mid: value(lines, 'mid') ?? '0',
    opus,
    telephoneEvent: payloadType(lines, formats, /^telephone-event\/8000$/i),
  }
}

/** Our SDP in Meta's form: the DTLS role is named, 20 ms packets are asked for, and nothing else is offered. */
export function whatsappSdp(sdp: string, type: 'offer' | 'answer'): string {
  const setup = `a=setup:${type === 'answer' ? 'active' : 'actpass'}`
  const lines = linesOf(sdp)
    .filter((line) => !/^a=(extmap|extmap-allow-mixed|group:LS|msid-semantic|ptime)\b/.test(line))
    .map((line) => (line.startsWith('a=setup:') ? setup : line))
  return join([...lines, 'a=ptime:20'])
}

/** The customer's SDP for a browser that talks to Meta itself: it must not negotiate header extensions. */
export function forBrowser(sdp: string): string {
  return join(liteFirst(linesOf(sdp).filter((line) => !/^a=extmap\b/.test(line))))
}

/**
 * A browser's SDP in the form that Meta takes, when the browser talks to Meta itself. Of its candidates those stay that have
 * an address and are of UDP; Meta also takes checks from others. An offer's header extensions are struck out, so that Meta
 * agrees to none; an answer that has some is refused, for that browser would send them.
 */
export function directSdp(sdp: string, type: 'offer' | 'answer'): { readonly sdp: string } | SdpFault {
  const read = readRemoteAudio(sdp)
  if (typeof read === 'string') return read
  const lines = linesOf(sdp)
  if (value(lines, 'setup') !== (type === 'answer' ? 'active' : 'actpass')) return 'SDP_NOT_ACTIVE'
  if (type === 'answer' && lines.some((line) => line.startsWith('a=extmap:'))) return 'SDP_EXTENSIONS'
  const kept = lines.filter((line) => !line.startsWith('a=candidate:') || isUsable(line))
  if (!kept.some((line) => line.startsWith('a=candidate:'))) return 'SDP_NO_CANDIDATES'
  return { sdp: whatsappSdp(join(kept), type) }
}

/**
 * RFC 8839 section 5.1: foundation, component, transport, priority, address. Names of mDNS mean nothing outside of a LAN, and
 * looking them up takes seconds; whoever has one sends checks, too, and is found by them.
 */
function isUsable(line: string): boolean {
  const [first = '', , transport = '', , address = ''] = line.split(' ')
  return first.startsWith('a=candidate:') && transport.toLowerCase() === 'udp' && !address.endsWith('.local')
}

/** Adds to the first IPv4 host candidate what it is outside of a 1:1 NAT, as a STUN server there would tell. */
export function withPublicAddress(sdp: string, address: string): string {
  const lines = linesOf(sdp)
  // A leg has one socket, so all of them are the same port.
  const at = lines.findIndex((line) => /^a=candidate:(\S+ ){4}[\d.]+ \d+ typ host/.test(line))
  const [foundation, component, transport, priority, local, port] = lines[at]?.split(' ') ?? []
  if (local === undefined || local === address) return sdp
  // Type preference 100 instead of 126 (RFC 8445 section 5.1.2.2).
  const lower = Number(priority) - 26 * 2 ** 24
  const outside = `${foundation}9 ${component} ${transport} ${lower} ${address} ${port} typ srflx raddr ${local} rport ${port}`
  return join(lines.toSpliced(at + 1, 0, outside))
}

/**
 * `a=ice-lite` is of the session (RFC 8839 section 5.3). Within the media, where some write it, the stack overlooks it, and
 * takes the role that only a lite agent has.
 */
function liteFirst(lines: readonly string[]): string[] {
  const others = lines.filter((line) => line !== 'a=ice-lite')
  if (others.length < lines.length)
    others.splice(
      others.findIndex((line) => line.startsWith('m=')),
      0,
      'a=ice-lite',
    )
  return others
}

function linesOf(sdp: string): string[] {
  return sdp.split(/\r\n|\n|\r/).filter((line) => line !== '')
}

function join(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n`
}

function value(lines: readonly string[], attribute: string): string | undefined {
  const start = `a=${attribute}:`
  return lines.find((line) => line.startsWith(start))?.slice(start.length)
}

function payloadType(lines: readonly string[], formats: readonly string[], codec: RegExp): number | undefined {
  for (const line of lines) {
    const [, format = '', name = ''] = /^a=rtpmap:(\d{1,3}) (\S+)$/.exec(line) ?? []
    if (codec.test(name) && formats.includes(format)) return Number(format)
  }
  return undefined
}
