/** ICE servers as the credentials API and signaling give them, one URL at a time: RFC 7064, RFC 7065. */
import type { IceServer } from '@hairpin/protocol'
import { isIpv6 } from './addresses.ts'

export interface IceServersAnswer {
  readonly iceServers: readonly IceServer[]
  /** Seconds. */
  readonly ttl: number
  /** ISO 8601. */
  readonly expiresAt: string
}

export interface StunTarget {
  readonly url: string
  readonly host: string
  readonly port: number
}

export type Transport = 'udp' | 'tcp' | 'tls'

export interface RelayTarget extends StunTarget {
  readonly transport: Transport
  readonly username: string
  readonly credential: string
  /** To be reached by this family; the driver's choice when left out. */
  readonly family?: 4 | 6
}

const urlForm = /^(stuns?|turns?):(\[[0-9a-f:.]+\]|[^:?/\s]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i

interface ParsedUrl extends StunTarget {
  readonly kind: 'stun' | 'turn'
  readonly transport: Transport
}

/** Undefined for what is no such URL, or of a kind that no browser speaks (DTLS). */
function parseUrl(url: string): ParsedUrl | undefined {
  const [, scheme = '', host = '', port, transport] = urlForm.exec(url) ?? []
  const kind = scheme.toLowerCase().replace(/s$/, '')
  if (kind !== 'stun' && kind !== 'turn') return undefined
  const secure = scheme.toLowerCase().endsWith('s')
  if (secure && transport === 'udp') return undefined
  const number = port === undefined ? (secure ? 5349 : 3478) : Number(port)
  if (number < 1 || number > 65535) return undefined
  const bare = host.replace(/^\[|\]$/g, '')
  return { kind, url, host: bare, port: number, transport: secure ? 'tls' : transport === 'tcp' ? 'tcp' : 'udp' }
}

/** Where Binding can be asked over UDP; every TURN server answers it, so its URLs stand in where there are no others. */
export function stunTargets({ iceServers }: IceServersAnswer): StunTarget[] {
  const parsed = iceServers.flatMap(({ urls }) => urls.map(parseUrl)).filter((url) => url?.transport === 'udp')
  const wanted = parsed.some((url) => url?.kind === 'stun') ? 'stun' : 'turn'
  return parsed.flatMap((url) => (url?.kind === wanted ? [stunTarget(url.host, url.port)] : []))
}

/** `host:port` of an IPv6 address has it in brackets. */
export function stunTarget(host: string, port: number): StunTarget {
  return { url: `stun:${isIpv6(host) ? `[${host}]` : host}:${port}`, host, port }
}

export function relayTargets({ iceServers }: IceServersAnswer): RelayTarget[] {
  return iceServers.flatMap(({ urls, username, credential }) =>
    urls.flatMap((text) => {
      const parsed = parseUrl(text)
      if (parsed?.kind !== 'turn' || username === undefined || credential === undefined) return []
      const { url, host, port, transport } = parsed
      return [{ url, host, port, transport, username, credential }]
    }),
  )
}

/** Whether an answer of the network is one; what else it holds does not matter. */
export function isIceServersAnswer(value: unknown): value is IceServersAnswer {
  const { iceServers, ttl, expiresAt } = (value ?? {}) as Record<string, unknown>
  return (
    Array.isArray(iceServers) &&
    iceServers.every(
      (server) => Array.isArray(server?.urls) && server.urls.every((url: unknown) => typeof url === 'string'),
    ) &&
    typeof ttl === 'number' &&
    typeof expiresAt === 'string' &&
    !Number.isNaN(Date.parse(expiresAt))
  )
}
