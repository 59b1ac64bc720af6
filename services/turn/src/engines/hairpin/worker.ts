/** One relay worker: its own listening sockets, core, relayed sockets and counters. Started by pool.ts. */
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type LivePolicies, livePolicies } from '@hairpin/config'
import { familyOf } from '@hairpin/stun'
import { AppTable } from '../../apps/table.ts'
import {
  type Allocation,
  Discovery,
  type DiscoveryListener,
  type Listener,
  RelayPorts,
  TurnServer,
} from '../../core/index.ts'
import { timeLimitedPasswords } from '../../credentials/password-policy.ts'
import { RevokedUsernames, unlessRevoked } from '../../credentials/revocations.ts'
import { ClientSocket } from '../../datapath/client-socket.ts'
import { Drops } from '../../datapath/data-path.ts'
import { DgramDataPath } from '../../datapath/dgram.ts'
import type { AllocationQuery } from '../../engine.ts'
import { UsageFeed } from '../../ledger/feed.ts'
import { packBatch } from '../../ledger/packed.ts'
import type { DiscoveryAddresses, RelayAddress, ServerAddresses } from '../../net/addresses.ts'
import { Driver, steadyNow } from '../../net/driver.ts'
import { OwnAddresses } from '../../net/own-addresses.ts'
import { peerPolicyFor } from '../../net/peer-rules.ts'
import { Certificate, type CertificateFiles } from '../../net/streams/certificate.ts'
import { type StreamBinding, StreamListeners } from '../../net/streams/listeners.ts'
import { TcpRelay } from '../../net/tcp-relay/relay.ts'
import { bindUdp } from '../../net/udp-socket.ts'
import { AppLimits } from './app-limits.ts'
import { describe } from './describe.ts'
import { FlowTable } from './flow-table.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './messages.ts'
import { Meter } from './meter.ts'
import { Neighbours } from './neighbours.ts'
import { OwnedPorts } from './owned-ports.ts'
import { policyChanges } from './policies.ts'
import { PortOwnership } from './port-ownership.ts'
import { SharedCredits } from './shared-credits.ts'
import { SharedQuota } from './shared-quota.ts'
import { Standings } from './standings.ts'
import { feedEvents } from './usage.ts'

/** Bytes asked of the kernel for a listening socket, which all clients of the worker share. */
const LISTEN_BUFFER = 4 * 1024 * 1024
/** Milliseconds between unasked samples. */
const SAMPLE_INTERVAL = 1000

const CERTIFICATE_EXPIRY = 'hairpin_tls_certificate_expiry_timestamp_seconds'

const parent = parentPort as MessagePort
const settings = workerData as WorkerSettings
const say = (message: FromWorker) => parent.postMessage(message)

try {
  await run(settings)
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  say({ type: 'failed', code, message })
}

async function run(settings: WorkerSettings): Promise<void> {
  const { turn, addresses, worker, workers, turnSecrets, nonceKey, tokenKey, ...shared } = settings
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
  const main = addresses.listen.map((address, id) => listenOn(id, address, addresses.port))
  const discovery = addresses.discovery && discoveryOf(addresses.discovery, main)
  const clients = [...main, ...(discovery?.clients ?? [])]
  const server = new TurnServer({
    realm: turn.realm,
    relayAddresses: advertised(addresses.relay),
    passwords: passwordsOf(turnSecrets),
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
    discovery: discovery?.core,
    throttle,
    appBandwidth: appLimits.bucketOf,
    events: meter,
  })
  const certificate = turn.tls && certificateOf(turn.tls, worker)
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
      connect: (worker) => say({ type: 'connect', worker }),
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
    handOver: (handover) => parent.postMessage({ type: 'handOver', handover } satisfies FromWorker, [handover.port]),
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
  const sample = (id: number) => {
    const samples = meter.samples(dataPath, drops, streams)
    if (turn.tcpRelay) samples.push(...tcpRelay.samples())
    if (neighbours) samples.push({ name: 'hairpin_handovers_total', labels: {}, value: neighbours.count })
    // All workers have the same: one tells.
    if (certificate && worker === 0)
      samples.push({ name: CERTIFICATE_EXPIRY, labels: {}, value: certificate.current.expiresAt })
    say({ type: 'samples', id, samples })
  }
  const nameOf = ({ id }: Allocation) => `${worker}-${settings.epoch.slice(0, 8)}-${id}`
  const tellAllocations = (id: number, found: readonly Allocation[], peers: boolean) => {
    const allocations = found.map((allocation) => describe(allocation, nameOf(allocation), peers))
    say({ type: 'allocations', id, allocations })
  }
  const list = (id: number, query: AllocationQuery) => {
    dataPath.collect()
    const matches = (allocation: Allocation) =>
      allocation.state === 'live' &&
      (query.id === undefined || nameOf(allocation) === query.id) &&
      (query.app === undefined || allocation.principal.app === query.app) &&
      (query.user === undefined || allocation.principal.user === query.user)
    tellAllocations(id, [...server.allocations].filter(matches), query.peers)
  }
  const report = () => {
    sample(0)
    const batch = feed.batch(Date.now())
    if (batch) say({ type: 'usage', batch: packBatch(batch) })
  }
  const setRelayAddresses = (relay: readonly RelayAddress[]) => {
    if (isDeepStrictEqual(relay, share.addresses.relay)) return
    share.addresses = { ...share.addresses, relay }
    own.change(relay)
    const peers = peerPolicyFor(policies, share.addresses)
    const changes = { relayAddresses: advertised(relay), peers }
    driver.act((server, now) => server.update(changes, now))
  }
  const setPolicies = (next: LivePolicies) => {
    const changes = policyChanges(policies, next, share)
    policies = next
    driver.act((server, now) => server.update(changes, now))
  }
  // A socket that joins the kernel's group makes it spread clients anew: whoever was answered before all are in might
  // find himself with a worker that does not know him.
  if (!settings.joins) {
    say({ type: 'bound' })
    await asked('serve')
  }
  const timer = setInterval(report, SAMPLE_INTERVAL)
  parent.on('message', (message: ToWorker) => {
    if (message.type === 'snapshot') return sample(message.id)
    if (message.type === 'drain') return server.drain(message.drain)
    if (message.type === 'revoke') {
      for (const username of message.usernames) revoked.add(username, Date.now())
      return driver.act((server, now) => server.revoke(({ username }) => revoked.has(username), now))
    }
    if (message.type === 'secrets') {
      const passwords = passwordsOf(message.turnSecrets)
      return driver.act((server, now) => server.update({ passwords }, now))
    }
    if (message.type === 'apps') return appLimits.change(message.apps, throttle, driver)
    if (message.type === 'relay-addresses') return setRelayAddresses(message.relay)
    if (message.type === 'policies') return setPolicies(message.policies)
    if (message.type === 'enforce') return standings.change(message.standings, throttle, driver)
    if (message.type === 'list') return list(message.id, message.query)
    if (message.type === 'close') {
      const found = [...server.allocations].filter((allocation) => nameOf(allocation) === message.allocation)
      for (const allocation of found) driver.act((server, now) => server.close(allocation, 'closed', now))
      return tellAllocations(message.id, found, false)
    }
    if (message.type === 'take') return tcpRelay.take(message.handover)
    if (message.type === 'connected') return neighbours?.connected(message.worker, message.port)
    if (message.type === 'accept') return neighbours?.accept(message.port)
    if (message.type !== 'stop') return
    clearInterval(timer)
    driver.close()
    neighbours?.close()
    certificate?.close()
    report()
    say({ type: 'stopped' })
    parent.close()
  })
  server.drain(settings.drain)
  await driver.listen()
  certificate?.watch()
  say({ type: 'listening' })
}

function advertised(relay: readonly RelayAddress[]) {
  const of = (wanted: 4 | 6) => relay.find(({ family }) => family === wanted)?.external
  return { 4: of(4), 6: of(6) }
}

/** The second port of both addresses, and what the core makes of the four. */
function discoveryOf({ port, first, second }: DiscoveryAddresses, main: readonly ClientSocket[]) {
  const clients = [first, second].map(({ local }, i) => listenOn(main.length + i, local, port))
  const corner = (sockets: readonly ClientSocket[], { external, local }: typeof first): DiscoveryListener => {
    const { listener } = sockets.find((socket) => socket.listener.local.address === local)!
    return { listener, advertised: { ...listener.local, address: external } }
  }
  const core = new Discovery([
    corner(main, first),
    corner(clients, first),
    corner(main, second),
    corner(clients, second),
  ])
  return { clients, core }
}

function asked(type: ToWorker['type']): Promise<void> {
  return new Promise((resolve) => {
    parent.on('message', function hear(message: ToWorker) {
      if (message.type !== type) return
      parent.off('message', hear)
      resolve()
    })
  })
}

/** Every worker watches the files by itself; the first one tells what it found. */
function certificateOf(files: CertificateFiles, worker: number): Certificate {
  const tell = (level: 'info' | 'error', message: string) => {
    if (worker === 0) say({ type: 'log', level, message })
  }
  return new Certificate(files, {
    changed: ({ leaf }) => tell('info', `TLS certificate read again, valid to ${leaf.validTo}`),
    failed: ({ message }) =>
      tell('error', `TURN_CERTIFICATE_REJECTED: ${message}; the former certificate stays in use`),
  })
}

function streamBindings({ listen, tcpPort, tlsPort }: ServerAddresses): StreamBinding[] {
  const bindings: StreamBinding[] = []
  if (tcpPort !== undefined) for (const address of listen) bindings.push({ transport: 'tcp', address, port: tcpPort })
  if (tlsPort !== undefined) for (const address of listen) bindings.push({ transport: 'tls', address, port: tlsPort })
  return bindings
}

function listenOn(id: number, address: string, port: number): ClientSocket {
  const family = familyOf(address)
  const socket = bindUdp({ address, port, family, reusePort: true, bufferSize: LISTEN_BUFFER })
  const listener: Listener = { id, transport: 'udp', local: { address, port, family } }
  return new ClientSocket(listener, socket)
}
