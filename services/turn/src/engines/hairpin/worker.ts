/** One relay worker: a thread with its own sockets, core and counters, told what to do by pool.ts. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Allocation } from '../../core/index.ts'
import type { AllocationQuery } from '../../engine.ts'
import { packBatch } from '../../ledger/packed.ts'
import { describe } from './describe.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './messages.ts'
import { createRelay, type WorkerRelay } from './relay.ts'

/** Milliseconds between unasked samples. */
const SAMPLE_INTERVAL = 1000

const parent = parentPort as MessagePort
const settings = workerData as WorkerSettings

/** Of a connection that is handed over the port goes along. */
function say(message: FromWorker): void {
  parent.postMessage(message, message.type === 'handOver' ? [message.handover.port] : [])
}

try {
  await run()
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  say({ type: 'failed', code, message })
}

async function run(): Promise<void> {
  const relay = createRelay(settings, say)
  // A socket that joins the kernel's group makes it spread clients anew: whoever was answered before all are in might
  // find himself with a worker that does not know him.
  if (!settings.joins) {
    say({ type: 'bound' })
    await asked('serve')
  }
  const report = () => {
    say({ type: 'samples', id: 0, samples: relay.samples() })
    const batch = relay.usage()
    if (batch) say({ type: 'usage', batch: packBatch(batch) })
  }
  const timer = setInterval(report, SAMPLE_INTERVAL)
  const commands = commandsOf(relay, () => {
    clearInterval(timer)
    relay.close()
    report()
    say({ type: 'stopped' })
    parent.close()
  })
  parent.on('message', (message: ToWorker) => (commands[message.type] as (message: ToWorker) => void)(message))
  await relay.listen(settings.drain)
  say({ type: 'listening' })
}

type Commands = { readonly [T in ToWorker['type']]: (message: Extract<ToWorker, { type: T }>) => void }

function commandsOf(relay: WorkerRelay, stop: () => void): Commands {
  const { server, driver, dataPath, tcpRelay, neighbours } = relay
  return {
    serve: () => {},
    snapshot: ({ id }) => say({ type: 'samples', id, samples: relay.samples() }),
    drain: ({ drain }) => server.drain(drain),
    secrets: ({ turnSecrets }) => relay.setSecrets(turnSecrets),
    apps: ({ apps }) => relay.setApps(apps),
    'relay-addresses': (message) => relay.setRelayAddresses(message.relay),
    policies: ({ policies }) => relay.setPolicies(policies),
    revoke: ({ usernames }) => relay.revoke(usernames),
    enforce: ({ standings }) => relay.enforce(standings),
    list: ({ id, query }) => {
      dataPath.collect()
      const found = [...server.allocations].filter((allocation) => matches(allocation, query))
      tell(id, found, query.peers)
    },
    close: ({ id, allocation: name }) => {
      const found = [...server.allocations].filter((allocation) => nameOf(allocation) === name)
      for (const allocation of found) driver.act((core, now) => core.close(allocation, 'closed', now))
      tell(id, found, false)
    },
    take: ({ handover }) => tcpRelay.take(handover),
    connected: ({ worker, port }) => neighbours?.connected(worker, port),
    accept: ({ port }) => neighbours?.accept(port),
    stop,
  }
}

function nameOf({ id }: Allocation): string {
  return `${settings.worker}-${settings.epoch.slice(0, 8)}-${id}`
}

function matches(allocation: Allocation, { id, app, user }: AllocationQuery): boolean {
  return (
    allocation.state === 'live' &&
    (id === undefined || nameOf(allocation) === id) &&
    (app === undefined || allocation.principal.app === app) &&
    (user === undefined || allocation.principal.user === user)
  )
}

/** Answers `list` and `close`. */
function tell(id: number, found: readonly Allocation[], peers: boolean): void {
  const allocations = found.map((allocation) => describe(allocation, nameOf(allocation), peers))
  say({ type: 'allocations', id, allocations })
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
