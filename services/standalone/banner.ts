import { join } from 'node:path'
import type { Config } from '@hairpin/config'
import type { ServerAddresses } from '@hairpin/turn'
import type { ChosenPort } from './ports.ts'

export interface BannerFacts {
  readonly config: Config
  readonly ports: { readonly http: ChosenPort; readonly admin: ChosenPort; readonly turn: ChosenPort }
  readonly addresses: ServerAddresses
}

/** What the person at the terminal wants to know: where everything is, and why there. */
export function banner({ config, ports, addresses }: BannerFacts): string {
  const demo = `http://localhost:${ports.http.port}/`
  const rows = [
    ['demo page', demo, `open it in two windows; ${reason(ports.http)}`],
    ['check', `${demo}check`, 'whether calls get through, step by step; npx hairpin doctor'],
    ['signaling', `ws://localhost:${ports.http.port}/ws`, 'docs/PROTOCOL.md'],
    [
      'relay',
      `${bracketed(addresses.relay[0]?.external)}:${addresses.port}/${addresses.tcpPort === undefined ? 'udp' : 'udp and tcp'}`,
      reason(ports.turn),
    ],
    ...addresses.relay.map(({ external, why }) => ['  advertises', external, why]),
    ['  relayed ports', `${config.turn.relayPorts.min}-${config.turn.relayPorts.max}/udp`, ''],
    ['dashboard', `http://${bracketed(config.admin.host)}:${ports.admin.port}/dashboard`, 'cost, traffic, budgets'],
    ['metrics', `http://${bracketed(config.admin.host)}:${ports.admin.port}/metrics`, reason(ports.admin)],
    ...whatsappRows(config, ports.http.port),
    ['secrets', join(config.dataDir, 'secrets.json'), 'API keys and TURN secrets, readable by you alone'],
  ] as const
  const width = Math.max(...rows.map(([, what = '']) => what.length))
  const lines = rows.map(([name, what = '', why = '']) =>
    `  ${name.padEnd(16)}${what.padEnd(width + 2)}${why}`.trimEnd(),
  )
  return ['', `Hairpin runs (${config.turn.engine} engine). Ctrl-C ends it.`, ...lines, ''].join('\n')
}

function whatsappRows({ whatsapp }: Config, port: number): [string, string, string][] {
  if (!whatsapp) return []
  const { mode, media } = whatsapp
  const where = mode === 'direct' ? 'direct mode' : `bridge, media on ${media.ports.min}-${media.ports.max}/udp`
  return [
    ['agents', `http://localhost:${port}/agent`, 'customers’ calls in the browser; docs/WHATSAPP.md'],
    ['WhatsApp', `http://localhost:${port}/call-events`, `webhook, by HTTPS for Meta; ${where}`],
  ]
}

function reason(chosen: ChosenPort): string {
  return chosen.why === 'default' ? 'default port' : `port from ${chosen.why}`
}

function bracketed(address = 'none'): string {
  return address.includes(':') ? `[${address}]` : address
}
