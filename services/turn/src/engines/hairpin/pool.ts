/**
 * The `hairpin` engine: relay workers, one thread each. The kernel spreads clients over them by five-tuple
 * (SO_REUSEPORT), so an allocation lives in one worker; what they share is memory: relayed ports, quotas, and whose
 * a client is.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { MessageChannel } from 'node:worker_threads'
import { type LivePolicies, livePolicies } from '@hairpin/config'
import type { AppRules } from '../../apps/table.ts'
import { type Drain, RelayPorts } from '../../core/index.ts'
import { RevokedUsernames } from '../../credentials/revocations.ts'
import type { AllocationControl, EngineOptions, RelayEngine, Sample } from '../../engine.ts'
import type { Standing } from '../../ledger/budget.ts'
import { AppLabels } from '../../metrics/app-labels.ts'
import { SampleSums } from '../../metrics/samples.ts'
import type { RelayAddress } from '../../net/addresses.ts'
import { ListenError } from '../../net/listen-port.ts'
import { FlowTable } from './flow-table.ts'
import type { WorkerSettings } from './messages.ts'
import { PortOwnership } from './port-ownership.ts'
import { SharedCredits } from './shared-credits.ts'
import { SharedQuota } from './shared-quota.ts'
import { type WorkerFailure, WorkerHandle } from './worker-handle.ts'

/** Milliseconds before a worker is started again: the first time, and at most. */
const RESTART_DELAY = { first: 100, max: 5000 }
/** Milliseconds of running after which a crash counts as the first one. */
const STABLE_AFTER = 60_000

/** Gauges of a worker that is gone are gone with it; everything else stays counted. */
const GAUGES = new Set([
  'hairpin_allocations',
  'hairpin_client_connections',
  'hairpin_tcp_relay_allocations',
  'hairpin_tcp_relay_connections',
  'hairpin_tls_certificate_expiry_timestamp_seconds',
])
const isGauge = (name: string) => GAUGES.has(name)

export class HairpinEngine implements RelayEngine {
  readonly name = 'hairpin'
  readonly #options: EngineOptions
  readonly allocations: AllocationControl = {
    list: async (query) => (await Promise.all(this.#workers.map((handle) => handle.allocations(query)))).flat(),
    close: async (id) =>
      (await Promise.all(this.#workers.map((handle) => handle.closeAllocation(id)))).flat().length > 0,
  }
  readonly #shared: Omit<
    WorkerSettings,
    'worker' | 'apps' | 'epoch' | 'joins' | 'revoked' | 'standings' | 'turnSecrets'
  >
  readonly #ports: RelayPorts
  readonly #workers: WorkerHandle[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Counters of workers that are gone. */
  readonly #past = new SampleSums()
  readonly #apps = new AppLabels()
  readonly #revoked: RevokedUsernames
  #turnSecrets: readonly string[]
  #appRules: readonly AppRules[]
  #policies: LivePolicies
  #relay: readonly RelayAddress[]
  #standings: ReadonlyMap<string, Standing>
  #drain: Drain | undefined
  #restarts = 0
  #stopped = false

  constructor(options: EngineOptions) {
    this.#options = options
    this.#turnSecrets = options.secrets.turnSecrets
    this.#appRules = options.apps ?? []
    this.#revoked = options.revoked ?? new RevokedUsernames()
    this.#standings = options.standings ?? new Map()
    const { turn } = options.config
    this.#policies = livePolicies(turn)
    this.#relay = options.addresses.relay
    const { min, max } = turn.relayPorts
    const tokenKey = randomBytes(32)
    this.#shared = {
      workers: turn.workers,
      metered: options.usage !== undefined,
      turn,
      addresses: options.addresses,
      nonceKey: randomBytes(32),
      tokenKey,
      mobilityKey: randomBytes(32),
      ports: new SharedArrayBuffer(4 * RelayPorts.wordsFor(min, max)),
      portOwners: new SharedArrayBuffer(PortOwnership.bytesFor(min, max)),
      quota: new SharedArrayBuffer(SharedQuota.bytesFor(turn.workers)),
      credits: new SharedArrayBuffer(SharedCredits.bytes),
      flows: new SharedArrayBuffer(FlowTable.bytes),
      flowKey: randomBytes(8),
    }
    const words = new Int32Array(this.#shared.ports)
    this.#ports = new RelayPorts({ min, max, words, tokenKey, randomBytes })
  }

  get workers(): readonly WorkerHandle[] {
    return this.#workers
  }

  async start(): Promise<void> {
    for (let worker = 0; worker < this.#shared.workers; worker++) this.#launch(worker, RESTART_DELAY.first, false)
    try {
      await Promise.all(this.#workers.map((handle) => handle.bound))
      for (const handle of this.#workers) handle.serve()
      await Promise.all(this.#workers.map((handle) => handle.listening))
    } catch (error) {
      await this.stop()
      const { code, message } = error as WorkerFailure
      throw new ListenError(this.#options.addresses.port, code, message)
    }
  }

  async snapshot(): Promise<Sample[]> {
    const all = await Promise.all(this.#workers.map((handle) => handle.snapshot()))
    const sums = new SampleSums()
    for (const samples of [...all, this.#past.samples()])
      for (const sample of samples) sums.add(sample.name, this.#bounded(sample.labels), sample.value)
    sums.add('hairpin_relay_worker_restarts_total', {}, this.#restarts)
    const { min, max } = this.#shared.turn.relayPorts
    sums.add('hairpin_relay_ports', {}, max - min + 1)
    sums.add('hairpin_relay_ports_in_use', {}, this.#ports.liveCount)
    return sums.samples()
  }

  drain(drain: Drain): void {
    this.#drain = drain
    for (const handle of this.#workers) handle.tell({ type: 'drain', drain })
  }

  setTurnSecrets(turnSecrets: readonly string[]): void {
    this.#turnSecrets = turnSecrets
    for (const handle of this.#workers) handle.tell({ type: 'secrets', turnSecrets })
  }

  setApps(apps: readonly AppRules[]): void {
    this.#appRules = apps
    for (const handle of this.#workers) handle.tell({ type: 'apps', apps })
  }

  setRelayAddresses(relay: readonly RelayAddress[]): void {
    this.#relay = relay
    for (const handle of this.#workers) handle.tell({ type: 'relay-addresses', relay })
  }

  setPolicies(policies: LivePolicies): void {
    this.#policies = policies
    for (const handle of this.#workers) handle.tell({ type: 'policies', policies })
  }

  enforce(standings: ReadonlyMap<string, Standing>): void {
    this.#standings = standings
    for (const handle of this.#workers) handle.tell({ type: 'enforce', standings })
  }

  revoke(username: string): void {
    this.#revoked.add(username, Date.now())
    for (const handle of this.#workers) handle.tell({ type: 'revoke', usernames: [username] })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#workers.map((handle) => handle.stop()))
    for (const { epoch } of this.#workers) this.#options.usage?.endEpoch(epoch, Date.now())
  }

  /** What changed since the worker was made: it listens, and hears, only now. */
  #brief(handle: WorkerHandle): void {
    if (this.#drain) handle.tell({ type: 'drain', drain: this.#drain })
    handle.tell({ type: 'secrets', turnSecrets: this.#turnSecrets })
    handle.tell({ type: 'apps', apps: this.#appRules })
    handle.tell({ type: 'policies', policies: this.#policies })
    handle.tell({ type: 'relay-addresses', relay: this.#relay })
    handle.tell({ type: 'revoke', usernames: this.#revoked.list() })
    handle.tell({ type: 'enforce', standings: this.#standings })
  }

  #settingsOf(worker: number, joins: boolean): WorkerSettings {
    return {
      ...this.#shared,
      worker,
      epoch: randomUUID(),
      turnSecrets: this.#turnSecrets,
      apps: this.#appRules,
      drain: this.#drain,
      revoked: this.#revoked.list(),
      joins,
      standings: this.#standings,
    }
  }

  #launch(worker: number, delay: number, joins: boolean): void {
    const { logger, usage } = this.#options
    const handle = new WorkerHandle(
      this.#settingsOf(worker, joins),
      logger,
      usage,
      (other) => this.#connect(worker, other),
      (handover) => this.#workers[handover.worker]?.take(handover),
    )
    this.#workers[worker] = handle
    handle.listening.then(
      () => this.#brief(handle),
      () => {},
    )
    const started = performance.now()
    void handle.ended.then((unasked) => {
      if (this.#stopped) return
      this.#takeBack(worker, handle)
      const next = performance.now() - started > STABLE_AFTER ? RESTART_DELAY.first : delay
      logger.error({ worker, code: 'TURN_WORKER_RESTARTING', delay: next, unasked }, 'relay worker is started again')
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        this.#restarts++
        this.#launch(worker, Math.min(next * 2, RESTART_DELAY.max), true)
      }, next)
      this.#timers.add(timer)
    })
  }

  /** A channel by which one worker hands packets over to another. */
  #connect(from: number, to: number): void {
    const { port1, port2 } = new MessageChannel()
    this.#workers[from]?.connected(to, port1)
    this.#workers[to]?.accept(port2)
  }

  /**
   * What a dead worker leaves: its counters are kept, its calls end in the ledger, its ports and quota units are given
   * back, its clients are nobody's.
   */
  #takeBack(worker: number, handle: WorkerHandle): void {
    this.#past.addAll(handle.last.filter(({ name }) => !isGauge(name)))
    handle.forget()
    const { workers, turn, flows, flowKey } = this.#shared
    const now = Date.now()
    this.#options.usage?.endEpoch(handle.epoch, now)
    for (const port of new PortOwnership(this.#shared.portOwners, turn.relayPorts.min, worker).reclaim())
      this.#ports.release(port, now)
    new FlowTable(flows, flowKey, worker).reclaim()
    new SharedCredits({ shared: this.#shared.credits, worker, limit: 0 }).reclaim()
    new SharedQuota({ shared: this.#shared.quota, workers, worker, perUser: 0, total: 0 }).reclaim()
  }

  /** Every worker bounds its own apps; this bounds the union. */
  #bounded(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    if (labels.app === undefined) return labels
    const app = this.#apps.labelFor(labels.app)
    return app === labels.app ? labels : { ...labels, app }
  }
}
