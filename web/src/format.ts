import type { Call, CallEnd, SelectedPair } from '@hairpin/client'

/** Bits per second in three digits at most: `840 kbit/s`, `1.2 Mbit/s`. */
export function bitrate(bits: number | undefined): string {
  if (bits === undefined) return '–'
  if (bits < 1_000_000) return `${Math.round(bits / 1000)} kbit/s`
  const mega = bits / 1_000_000
  return `${mega < 10 ? mega.toFixed(1) : Math.round(mega)} Mbit/s`
}

export function roundTrip(seconds: number | undefined): string {
  if (seconds === undefined) return '–'
  const milliseconds = seconds * 1000
  return milliseconds < 1 ? '< 1 ms' : `${Math.round(milliseconds)} ms`
}

/** `4:05`, `1:02:03` */
export function duration(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000))
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  const pad = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds)}` : `${minutes}:${pad(seconds)}`
}

/** Money; below one with two digits that count. */
export function amount(value: number, currency: string): string {
  const digits = value === 0 || value >= 1 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 2 }
  return new Intl.NumberFormat('en', { style: 'currency', currency, ...digits }).format(value)
}

/** What carries the call, in plain words with WebRTC's own word beside them. */
export function pathName(pair: SelectedPair): string {
  switch (pair.kind) {
    case 'host':
      return 'Direct (host)'
    case 'srflx':
    case 'prflx':
      return `Direct through NAT (${pair.kind})`
    case 'relay':
      return 'Relayed (relay)'
  }
}

/** How packets travel: to the relay where this side uses one, else between the two. */
export function transportName(pair: SelectedPair): string {
  return (pair.relayProtocol ?? pair.protocol).toUpperCase()
}

export function pathDetail(pair: SelectedPair): string {
  return `this side ${pair.localKind}, other side ${pair.remoteKind}`
}

/** The other side has left an answered call that had found no path: as a rule its client did, being the first to give up. */
export function gaveUpUnconnected({ connectedAt }: Pick<Call, 'connectedAt'>, { reason, by }: CallEnd): boolean {
  return reason === 'hang-up' && by !== 'local' && connectedAt === undefined
}

/** Why a call is over, told to this side. */
export function endText(call: Pick<Call, 'peer' | 'direction' | 'connectedAt'>, end: CallEnd): string {
  const { peer, direction } = call
  if (gaveUpUnconnected(call, end)) return `${peer} hung up before the call was connected.`
  switch (end.reason) {
    case 'hang-up':
      return end.by === 'local' ? 'Call ended.' : `${peer} hung up.`
    case 'cancelled':
      return end.by === 'local' ? 'Call cancelled.' : `${peer} called and gave up.`
    case 'rejected':
      return end.by === 'local' ? `You declined ${peer}’s call.` : `${peer} declined.`
    case 'answered-elsewhere':
      return `You took ${peer}’s call on another device.`
    case 'busy':
      return `${peer} is in another call.`
    case 'offline':
      return `${peer} is not here any more.`
    case 'no-answer':
      return direction === 'outgoing' ? `${peer} did not answer.` : `You missed ${peer}’s call.`
    case 'disconnected':
      return `${peer} lost the connection to the server.`
    case 'connect-failed':
      return `No path to ${peer} was found. A firewall may block the relay.`
    case 'connection-lost':
      return `The connection to ${peer} was lost.`
    case 'negotiation-failed':
      return 'The two browsers could not agree on how to talk.'
    case 'refused':
      return 'The server did not take the call.'
  }
}
