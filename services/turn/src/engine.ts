import type { Config, LivePolicies, Secrets } from '@hairpin/config'
import type { FastifyBaseLogger } from 'fastify'
import type { AppRules } from './apps/table.ts'
import type { Drain } from './core/index.ts'
import type { RevokedUsernames } from './credentials/revocations.ts'
import type { Standing } from './ledger/budget.ts'
import type { UsageSink } from './ledger/feed.ts'
import type { RelayAddress, ServerAddresses } from './net/addresses.ts'

/** What a relay engine is to the rest of the service: `hairpin` (our own) and `node-turn` implement it. */
export interface RelayEngine {
  readonly name: 'hairpin' | 'node-turn'
  /** Opens the listening sockets. Rejects with a clear error when it cannot (port in use, no address). */
  start(): Promise<void>
  /** Monotonic counters and present gauges of all workers since process start. Live: never waits for a call to end. */
  snapshot(): Promise<Sample[]>
  /** Refuses new allocations from now on; what is allocated is served as before. */
  drain(drain: Drain): void
  /** Passwords of new allocations; live ones keep theirs. */
  setTurnSecrets(turnSecrets: readonly string[]): void
  /**
   * The apps with secrets and quotas of their own, in force at once; allocations of those that are no more end (node-turn:
   * secrets and numbers of allocations only, and live allocations go on).
   */
  setApps(apps: readonly AppRules[]): void
  /** Addresses that new allocations advertise; those they are bound to stay (node-turn: no change until the next start). */
  setRelayAddresses(relay: readonly RelayAddress[]): void
  /** In force at once, for live allocations too (node-turn: quotas and peers, for new allocations and permissions). */
  setPolicies(policies: LivePolicies): void
  /**
   * Puts into force what budgets demand of each app that is named; the others are free. Close ends what is allocated
   * (node-turn: refuses only, live allocations go on as they are).
   */
  enforce(standings: ReadonlyMap<string, Standing>): void
  /** Ends the username's allocations and refuses it new ones (node-turn: only the latter). */
  revoke(username: string): void
  /** Undefined where the engine cannot say. */
  readonly allocations?: AllocationControl
  /** Closes every allocation and socket. Idempotent. */
  stop(): Promise<void>
}

export interface AllocationControl {
  /** Oldest first within each worker. */
  list(query: AllocationQuery): Promise<AllocationInfo[]>
  /** False when there is none. */
  close(id: string): Promise<boolean>
}

export interface AllocationQuery {
  /** Full addresses of clients and peers too. */
  readonly peers: boolean
  readonly id?: string | undefined
  readonly app?: string | undefined
  readonly user?: string | undefined
}

/** Times are ISO 8601, null for never. */
export interface AllocationInfo {
  /** Unique over workers and their restarts. */
  readonly id: string
  readonly app: string
  readonly user: string
  readonly username: string
  /** The client's, and that between relay and peers: TCP by RFC 6062. */
  readonly transport: string
  readonly relayTransport: 'udp' | 'tcp'
  /** Its network, or address and port when asked for. */
  readonly client: string
  readonly relayed: readonly string[]
  readonly createdAt: string | null
  readonly expiresAt: string | null
  readonly credentialExpiresAt: string | null
  readonly permissions: number
  readonly channels: number
  /** With peers, of a TCP allocation. */
  readonly connections: number
  readonly clientToPeer: { readonly bytes: number; readonly packets: number }
  readonly peerToClient: { readonly bytes: number; readonly packets: number }
  readonly peers?: {
    readonly permissions: readonly string[]
    readonly connections: readonly { readonly peer: string; readonly state: 'connecting' | 'pending' | 'bound' }[]
    readonly channels: readonly { readonly number: number; readonly peer: string }[]
  }
}

/** What every engine's constructor gets. */
export interface EngineOptions {
  readonly config: Config
  /** Where to listen (the port included: `config.turn.port` may be 0) and what to advertise. */
  readonly addresses: ServerAddresses
  readonly secrets: Pick<Secrets, 'turnSecrets'>
  /** As of `setApps`, from the first allocation on. */
  readonly apps?: readonly AppRules[]
  /** Refused from the start on. */
  readonly revoked?: RevokedUsernames
  readonly logger: FastifyBaseLogger
  /** Gets what every allocation relayed, each second and at its end. */
  readonly usage?: UsageSink
  /** As of `enforce`, from the first allocation on. */
  readonly standings?: ReadonlyMap<string, Standing>
}

/**
 * One metric value, summed over workers by (name, labels). Names are those of the Prometheus metrics
 * (docs/METRICS.md); label values come from small fixed sets, never from a user name or an address.
 */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
