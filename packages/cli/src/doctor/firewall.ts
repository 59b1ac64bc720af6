import type { Config } from '@hairpin/config'

export interface OpenPort {
  readonly protocol: 'udp' | 'tcp'
  /** `3478` or `49152-65535`. */
  readonly ports: string
  readonly what: string
}

/** What the internet must reach, by the configuration. */
export function portsToOpen({ http, turn, whatsapp }: Pick<Config, 'http' | 'turn' | 'whatsapp'>): OpenPort[] {
  const relayed = `${turn.relayPorts.min}-${turn.relayPorts.max}`
  // Behind a Unix socket it is the Caddy of docker-compose.yml.
  const pages: OpenPort[] = http.socket
    ? [
        { protocol: 'tcp', ports: '80', what: 'HTTP, for certificates and the way to HTTPS' },
        { protocol: 'tcp', ports: '443', what: 'HTTPS and WebSocket' },
        { protocol: 'udp', ports: '443', what: 'HTTP/3' },
      ]
    : [{ protocol: 'tcp', ports: String(http.port), what: 'pages, API and WebSocket' }]
  const streams: OpenPort[] =
    turn.engine === 'hairpin'
      ? [
          { protocol: 'tcp', ports: String(turn.port), what: 'TURN over TCP' },
          ...(turn.tls ? [{ protocol: 'tcp', ports: String(turn.tls.port), what: 'TURN over TLS' } as const] : []),
          ...(turn.tcpRelay
            ? [{ protocol: 'tcp', ports: relayed, what: 'relayed ports of TCP allocations' } as const]
            : []),
        ]
      : []
  const { min, max } = whatsapp?.mode === 'bridge' ? whatsapp.media.ports : {}
  const media: OpenPort[] =
    min === undefined ? [] : [{ protocol: 'udp', ports: `${min}-${max}`, what: 'media of WhatsApp calls' }]
  return [
    ...pages,
    { protocol: 'udp', ports: String(turn.port), what: 'STUN and TURN' },
    ...streams,
    ...(turn.discovery
      ? [{ protocol: 'udp', ports: String(turn.discovery.port), what: 'NAT behaviour discovery' } as const]
      : []),
    { protocol: 'udp', ports: relayed, what: 'relayed ports' },
    ...media,
  ]
}

/** The rules in three wordings. */
export function firewallText(config: Pick<Config, 'http' | 'turn' | 'admin' | 'whatsapp'>): string {
  const ports = portsToOpen(config)
  const set = (protocol: string) =>
    ports
      .filter((port) => port.protocol === protocol)
      .map((port) => port.ports)
      .join(', ')
  const { port, socket } = config.admin
  return [
    'Firewall of this server, by its configuration',
    '  ufw:',
    ...ports.map(
      ({ protocol, ports: range, what }) => `    ufw allow ${range.replace('-', ':')}/${protocol} comment '${what}'`,
    ),
    '  nftables (table and chain as yours are named):',
    ...(['tcp', 'udp'] as const).map(
      (protocol) => `    nft add rule inet filter input ${protocol} dport { ${set(protocol)} } accept`,
    ),
    '  Firewall or security group of the provider, inbound from 0.0.0.0/0 and ::/0:',
    ...ports.map(({ protocol, ports: range, what }) => `    ${protocol.toUpperCase()} ${range}  (${what})`),
    '  Outbound, where it is restricted: all UDP to any port, for relayed packets to peers.',
    ...(socket ? [] : [`  Keep TCP ${port} closed: metrics and administration.`]),
  ].join('\n')
}
