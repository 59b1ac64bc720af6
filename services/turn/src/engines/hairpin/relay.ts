/** What one worker relays with: core, sockets, data path and counters put together, and what may be changed while it runs. */
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type LivePolicies, livePolicies } from '@hairpin/config'
import { type AppRules, AppTable } from '../../apps/table.ts'
import { type Drain, RelayPorts, TurnServer } from '../../core/index.ts'
import { timeLimitedPasswords } from '../../credentials/password-policy.ts'
import { RevokedUsernames, unlessRevoked } from '../../credentials/revocations.ts'
import { Drops } from '../../datapath/data-path.ts'
import { DgramDataPath } from '../../datapath/dgram.ts'
import type { Sample } from '../../engine.ts'
import type { Standing } from '../../ledger/budget.ts'
import { UsageFeed } from '../../ledger/feed.ts'
import type { RelayAddress } from '../../net/addresses.ts'
import { Driver, steadyNow } from '../../net/driver.ts'
import { OwnAddresses } from '../../net/own-addresses.ts'
import { peerPolicyFor } from '../../net/peer-rules.ts'
import { Certificate, type CertificateFiles } from '../../net/streams/certificate.ts'
import { StreamListeners } from '../../net/streams/listeners.ts'
import { TcpRelay } from '../../net/tcp-relay/relay.ts'
import { AppLimits } from './app-limits.ts'
import { FlowTable } from './flow-table.ts'
import type { FromWorker, WorkerSettings } from './messages.ts'
import { Meter } from './meter.ts'
import { Neighbours } from './neighbours.ts'
import { OwnedPorts } from './owned-ports.ts'
import { policyChanges } from './policies.ts'
import { PortOwnership } from './port-ownership.ts'
import { SharedCredits } from './shared-credits.ts'
import { SharedQuota } from './shared-quota.ts'
import { listenOnUdp, streamBindings } from './sockets.ts'
import { Standings } from './standings.ts'
import { feedEvents } from './usage.ts'

const CERTIFICATE_EXPIRY = 'hairpin_tls_certificate_expiry_timestamp_seconds'

export type WorkerRelay = ReturnType<typeof createRelay>

/**
 * Binds the worker's UDP sockets; nothing is answered before `listen`.
 * @param say tells the pool
 * @throws the bind error of a UDP socket
 */
export function createRelay(settings: WorkerSettings, say: (message: FromWorker) => void) {
  const { turn, addresses, worker, workers, nonceKey, tokenKey, ...shared } = settings
  const { min, max } = turn.relayPorts
  const pool = new RelayPorts({ min, max, words: new Int32Array(shared.ports), tokenKey, randomBytes })
  const ports = new OwnedPorts(pool, new PortOwnership(shared.portOwners, min, worker))
  const apps = new AppTable(settings.apps)
  const appLimits = new AppLimits(apps, workers)
  const quota = new SharedQuota({
    shared: shared.quota,
    workers,
    worker,
    perUser: turn.userQuota,
    total: turn.totalQuota,
    limitsOf: (app) => apps.quotasOf(app),
  })
  const credits = new SharedCredits({ shared: shared.credits, worker, limit: turn.bytesPerCredential })
  const share = { workers, addresses, quota, credits }
  let policies = livePolicies(turn)
  const feed = new UsageFeed(settings.epoch, `relay-1/${worker}`)
  const meter = new Meter(settings.metered ? feedEvents(feed) : {})
  const drops = new Drops()
  const revoked = new RevokedUsernames()
  for (const username of settings.revoked) revoked.add(username, Date.now())
  const standings = new Standings(settings.standings)
  const throttle = appLimits.throttle(standings.demand)
  const passwordsOf = (secrets: readonly string[]) =>
    unlessRevoked(
      timeLimitedPasswords(secrets, (app) => apps.secretsOf(app)),
      revoked,
    )
  const flows = workers > 1 ? new FlowTable(shared.flows, shared.flowKey, worker) : undefined
  const { clients, discovery } = listenOnUdp(addresses)
  const server = new TurnServer({
    realm: turn.realm,
    relayAddresses: advertised(addresses.relay),
    passwords: passwordsOf(settings.turnSecrets),
    quota: standings.quota(quota),
    peers: peerPolicyFor(policies, addresses),
    ports,
    nonceKey,
    flows,
    dualAllocation: true,
    tcpRelay: turn.tcpRelay && { worker, workers, maxConnections: turn.tcpRelay.connections },
    mobility: {
      key: shared.mobilityKey,
      worker,
      forward:
        flows && ((to, bytes, listener, { address, port }) => neighbours?.hand(to, bytes, listener, address, port)),
    },
    ...policyChanges(undefined, policies, share),
    discovery,
    throttle,
    appBandwidth: appLimits.bucketOf,
    events: meter,
  })
  const certificate = turn.tls && certificateOf(turn.tls, worker, say)
  const streams = new StreamListeners({
    bindings: streamBindings(addresses),
    firstId: clients.length,
    now: steadyNow,
    proxies: turn.proxyProtocolFrom,
    secureContext: certificate && (() => certificate.current.context),
  })
  const own = new OwnAddresses(addresses.relay, ports)
  const dataPath = new DgramDataPath({
    allocations: server.allocations,
    clients,
    own,
    now: steadyNow,
    arrived: (allocation) => driver.act((server, now) => server.arrived(allocation, now)),
  })
  const neighbours: Neighbours | undefined =
    flows &&
    new Neighbours({
      flows,
      drops,
      connect: (other) => say({ type: 'connect', worker: other }),
      received: ({ listener, address, port, bytes }) =>
        driver.handedOver(listener, Buffer.from(bytes.buffer), { address, port }),
    })
  const onError = (error: Error, what: string) =>
    say({ type: 'log', level: 'warn', message: `${what}: ${error.message}` })
  // Without TCP allocations too: the connection of a client that moves may belong to another worker.
  const tcpRelay = new TcpRelay({
    server,
    streams,
    relay: addresses.relay,
    own,
    now: steadyNow,
    onError,
    handOver: (handover) => say({ type: 'handOver', handover }),
  })
  const driver: Driver = new Driver({
    server,
    tcpRelay,
    dataPath,
    clients,
    streams,
    elsewhere: neighbours,
    relay: addresses.relay,
    drops,
    now: steadyNow,
    onError,
  })

  return {
    server,
    driver,
    dataPath,
    tcpRelay,
    neighbours,

    /** @throws the bind error of a TCP or TLS socket */
    async listen(drain: Drain | undefined): Promise<void> {
      server.drain(drain)
      await driver.listen()
      certificate?.watch()
    },

    samples(): Sample[] {
      const samples = meter.samples(dataPath, drops, streams)
      if (turn.tcpRelay) samples.push(...tcpRelay.samples())
      if (neighbours) samples.push({ name: 'hairpin_handovers_total', labels: {}, value: neighbours.count })
      // All workers have the same: one tells.
      if (certificate && worker === 0)
        samples.push({ name: CERTIFICATE_EXPIRY, labels: {}, value: certificate.current.expiresAt })
      return samples
    },

    /** What was relayed since it was last asked; undefined: nothing. */
    usage: () => feed.batch(Date.now()),

    revoke(usernames: readonly string[]): void {
      for (const username of usernames) revoked.add(username, Date.now())
      driver.act((core, now) => core.revoke(({ username }) => revoked.has(username), now))
    },

    setSecrets(turnSecrets: readonly string[]): void {
      const passwords = passwordsOf(turnSecrets)
      driver.act((core, now) => core.update({ passwords }, now))
    },

    setApps: (rules: readonly AppRules[]) => appLimits.change(rules, throttle, driver),

    /** How apps stand with their budgets. */
    enforce: (next: ReadonlyMap<string, Standing>) => standings.change(next, throttle, driver),

    setRelayAddresses(relay: readonly RelayAddress[]): void {
      if (isDeepStrictEqual(relay, share.addresses.relay)) return
      share.addresses = { ...share.addresses, relay }
      own.change(relay)
      const peers = peerPolicyFor(policies, share.addresses)
      driver.act((core, now) => core.update({ relayAddresses: advertised(relay), peers }, now))
    },

    setPolicies(next: LivePolicies): void {
      const changes = policyChanges(policies, next, share)
      policies = next
      driver.act((core, now) => core.update(changes, now))
    },

    /** Ends every allocation and closes every socket. */
    close(): void {
      driver.close()
      neighbours?.close()
      certificate?.close()
    },
  }
}

function advertised(relay: readonly RelayAddress[]) {
  const of = (wanted: 4 | 6) => relay.find(({ family }) => family === wanted)?.external
  return { 4: of(4), 6: of(6) }
}

/** Every worker watches the files by itself; the first one tells what it found. */
function certificateOf(files: CertificateFiles, worker: number, say: (message: FromWorker) => void): Certificate {
  const tell = (level: 'info' | 'error', message: string) => {
    if (worker === 0) say({ type: 'log', level, message })
  }
  return new Certificate(files, {
    changed: ({ leaf }) => tell('info', `TLS certificate read again, valid to ${leaf.validTo}`),
    failed: ({ message }) =>
      tell('error', `TURN_CERTIFICATE_REJECTED: ${message}; the former certificate stays in use`),
  })
}
