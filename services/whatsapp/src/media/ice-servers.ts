/** ICE servers as browsers are given them, and as libdatachannel takes them. */
import type { IceServer } from 'node-datachannel'

/** An entry of `RTCConfiguration.iceServers`. */
export interface IceServerEntry {
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}

/** What one leg may ask for: libjuice has room for two relays, and every one costs an allocation. */
const RELAYS = 1

/** STUN and TURN over UDP (RFC 7064, RFC 7065), which is what the library speaks; other URLs are passed over. */
export function nativeIceServers(entries: readonly IceServerEntry[]): readonly IceServer[] {
  const servers: IceServer[] = []
  let relays = 0
  for (const { urls, username, credential } of entries)
    for (const url of typeof urls === 'string' ? [urls] : urls) {
      const server = serverOf(url)
      if (!server) continue
      if (server.scheme === 'stun') servers.push({ hostname: server.hostname, port: server.port })
      else if (username !== undefined && credential !== undefined && ++relays <= RELAYS)
        servers.push({
          hostname: server.hostname,
          port: server.port,
          username,
          password: credential,
          relayType: 'TurnUdp',
        })
    }
  return servers
}

function serverOf(url: string) {
  const [, scheme, v6, name, port = '3478', transport = 'udp'] =
    /^(stun|turn):(?:\[([\da-fA-F:.]+)\]|([^:?[\]]+))(?::(\d{1,5}))?(?:\?transport=(\w+))?$/.exec(url) ?? []
  const hostname = v6 ?? name
  if (hostname === undefined || transport !== 'udp') return undefined
  return { scheme, hostname, port: Number(port) }
}
