/**
 * The relay by npm `node-turn`: HAIRPIN_TURN_ENGINE=node-turn. One process, UDP over IPv4; docs/NODE-TURN.md says what
 * it can and cannot do, repairs.ts what had to be put right for it to carry a browser's call.
 */
import type { LivePolicies } from '@hairpin/config'
import Server from 'node-turn'
import type { AppRules } from '../../apps/table.ts'
import type { EngineOptions, RelayEngine, Sample } from '../../engine.ts'
import type { Standing } from '../../ledger/budget.ts'
import { Counters } from './counters.ts'
import { policiesOf } from './policies.ts'
import { Repairs } from './repairs.ts'
import { NodeTurnUsage } from './usage.ts'

/** node-turn's levels; its FATAL is a datagram that could not be sent, its ERROR one that could not be read. */
const LOG_LEVELS: Readonly<Record<string, 'warn' | 'debug' | 'trace'>> = {
  FATAL: 'warn',
  ERROR: 'debug',
  WARN: 'warn',
  INFO: 'debug',
}

export class NodeTurnEngine implements RelayEngine {
  readonly name = 'node-turn'
  readonly #options: EngineOptions
  readonly #counters = new Counters()
  readonly #policies: ReturnType<typeof policiesOf>
  #repairs: Repairs | undefined
  #standings: ReadonlyMap<string, Standing>
  #draining = false

  constructor(options: EngineOptions) {
    this.#options = options
    this.#standings = options.standings ?? new Map()
    this.#policies = policiesOf(options, ({ app }) => this.#draining || (this.#standings.get(app)?.refuse ?? false))
  }

  async start(): Promise<void> {
    const { addresses, config, logger } = this.#options
    const listeningIps = addresses.listen.filter((address) => !address.includes(':'))
    const relay = addresses.relay.filter(({ family }) => family === 4)
    if (listeningIps.length === 0 || relay.length === 0)
      throw new Error(
        'the node-turn engine speaks IPv4 only, and there is no IPv4 address to listen on and to relay from',
      )
    if (listeningIps.length < addresses.listen.length)
      logger.warn('the node-turn engine does not listen on IPv6 addresses')

    const server = new Server({
      listeningIps,
      listeningPort: addresses.port,
      relayIps: relay.map(({ local }) => local),
      externalIps: Object.fromEntries(relay.map(({ local, external }) => [local, external])),
      minPort: config.turn.relayPorts.min,
      maxPort: config.turn.relayPorts.max,
      authMech: 'long-term',
      realm: config.turn.realm,
      // Spares it the text of every message; what it tells at other levels still comes to `debug`.
      debugLevel: 'OFF',
      debug: (level, message) => logger[LOG_LEVELS[level] ?? 'trace']({ engine: 'node-turn' }, String(message)),
    })
    const repairs = new Repairs(server, relay, this.#policies, this.#counters)
    await repairs.listen()
    this.#repairs = repairs
    const { usage } = this.#options
    if (usage) this.#counters.usage = new NodeTurnUsage(usage)
  }

  async snapshot(): Promise<Sample[]> {
    const samples = this.#counters.snapshot()
    const live = samples.filter(({ name }) => name === 'hairpin_allocations').reduce((sum, { value }) => sum + value, 0)
    const { min, max } = this.#options.config.turn.relayPorts
    samples.push({ name: 'hairpin_relay_ports', labels: {}, value: max - min + 1 })
    samples.push({ name: 'hairpin_relay_ports_in_use', labels: {}, value: live })
    return samples
  }

  drain(): void {
    this.#draining = true
  }

  /** `EngineOptions.secrets` are asked at each Allocate. */
  setTurnSecrets(): void {}

  setApps(apps: readonly AppRules[]): void {
    this.#policies.setApps(apps)
  }

  /** It is told of its addresses once, when it is made. */
  setRelayAddresses(): void {}

  /** Permissions that were given stay. */
  setPolicies(policies: LivePolicies): void {
    this.#policies.change(policies)
  }

  /** Refuses new allocations; those that live it can neither slow down nor end. */
  enforce(standings: ReadonlyMap<string, Standing>): void {
    this.#standings = standings
  }

  /** `EngineOptions.revoked` is asked at each Allocate; live allocations go on. */
  revoke(): void {}

  async stop(): Promise<void> {
    this.#repairs?.close()
    this.#counters.usage?.close()
  }
}
