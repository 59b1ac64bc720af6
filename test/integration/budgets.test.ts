/** Budgets of a running relay, used up in the middle of a call by a real client. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { mintCredential } from '../../services/turn/src/credentials/mint.ts'
import { bindUdp } from '../../services/turn/src/net/udp-socket.ts'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { sleep, until } from '../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../helpers/relay-process.ts'
import { metric } from '../helpers/standalone.ts'

const secret = 'a-shared-secret-of-the-test'
const hookSecret = 'a-secret-of-the-webhooks'
const LIMIT = 1_000_000
const SIZE = 1000
/** What the price counts of each packet to the peer: IP and UDP headers too. */
const BILLED = SIZE + 28

interface Mark {
  readonly data: { readonly app: string; readonly percent: number; readonly ratio: number }
}

let folder: string
let relay: RelayProcess
const marks: Mark[] = []
const receiver = createServer(async (request, response) => {
  const verified = new Webhook(hookSecret, { format: 'raw' }).verify(await text(request), request.headers as never)
  marks.push(verified as Mark)
  response.writeHead(204).end()
})
const percents = (app: string) => marks.filter(({ data }) => data.app === app).map(({ data }) => data.percent)

async function start(): Promise<void> {
  relay = await startRelay(folder, {
    HAIRPIN_TURN_SECRETS: secret,
    HAIRPIN_PEER_ALLOW: '127.0.0.0/8',
    HAIRPIN_PRICES: '1 EUR/GB',
    HAIRPIN_BUDGETS:
      'ended daily 1 MB: 50% webhook, 100% webhook close; slowed daily 1 MB: 100% throttle:20000; * daily 0.001 EUR: 100% refuse',
    HAIRPIN_BUDGET_WEBHOOK: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
    HAIRPIN_BUDGET_WEBHOOK_SECRET: hookSecret,
  })
}

const clients: RelayClient[] = []
function clientOf(app: string): RelayClient {
  const { username, credential } = mintCredential({
    secret,
    app,
    user: 'ada',
    expiry: Math.floor(Date.now() / 1000) + 600,
  })
  const client = new RelayClient({ address: '127.0.0.1', port: relay.port }, { username, password: credential })
  clients.push(client)
  return client
}

/** A call that sends 500 kB a second to a peer, which notes when each packet came. */
async function runningCall(app: string) {
  const socket = bindUdp({ address: '127.0.0.2', port: 0, family: 4 })
  const arrivals: number[] = []
  socket.on('message', () => arrivals.push(performance.now()))
  const peer = { address: '127.0.0.2', port: socket.address().port, family: 4 } as const
  const client = clientOf(app)
  await client.allocate()
  await client.bind(peer)
  const load = setInterval(() => {
    for (let i = 0; i < 10; i++) client.send(peer, 'x'.repeat(SIZE))
  }, 20)
  const end = () => {
    clearInterval(load)
    socket.close()
  }
  ends.push(end)
  const reached = async () => {
    await until('the budget is used up', async () => arrivals.length * BILLED >= LIMIT || undefined)
    return arrivals[Math.ceil(LIMIT / BILLED) - 1]!
  }
  return { client, arrivals, reached, end }
}

const ends: (() => void)[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hairpin-budgets-'))
  await once(receiver.listen(0, '127.0.0.1'), 'listening')
  await start()
})
afterEach(() => {
  for (const end of ends.splice(0)) end()
  for (const client of clients.splice(0)) client.close()
})
afterAll(async () => {
  await relay?.stop()
  receiver.close()
  await rm(folder, { recursive: true, force: true })
})

describe('a budget that a call uses up', () => {
  test('ends the call within two seconds, refuses new ones, and its webhook says so', async () => {
    const { arrivals, reached } = await runningCall('ended')
    const at = await reached()
    await until('nothing is relayed any more', async () => performance.now() - arrivals.at(-1)! > 500 || undefined)
    const took = arrivals.at(-1)! - at
    console.log(`closed ${Math.round(took)} ms after the budget was reached`)
    expect(took).toBeLessThan(2000)
    expect(await clientOf('ended').allocateRefused()).toBe(486)
    await until('both webhooks came', async () => percents('ended').length === 2 || undefined)
    expect(percents('ended').sort()).toEqual([100, 50])
    const text = await relay.metrics()
    expect(metric(text, 'hairpin_budget_used_ratio', { app: 'ended' })).toBeGreaterThanOrEqual(1)
    expect(metric(text, 'hairpin_budget_marks_total', { app: 'ended' })).toBe(2)
    expect(metric(text, 'hairpin_allocations', { app: 'ended' })).toBe(0)
  })

  test('slows the call down within two seconds, and it goes on', async () => {
    const { arrivals, reached } = await runningCall('slowed')
    const at = await reached()
    await sleep(at + 4200 - performance.now())
    const later = arrivals.filter((arrival) => arrival > at + 2000 && arrival <= at + 4000).length
    expect(later).toBeGreaterThan(0)
    expect(later * SIZE).toBeLessThan(100_000)
    await clientOf('slowed').allocate()
  })

  test('that is of every app refuses that app new calls, lets the present one go on, and others be', async () => {
    const { arrivals, reached } = await runningCall('any')
    await reached()
    await until('the relay knows', async () => {
      return metric(await relay.metrics(), 'hairpin_budget_used_ratio', { app: 'any' }) >= 1 || undefined
    })
    expect(await clientOf('any').allocateRefused()).toBe(486)
    const before = arrivals.length
    await until('the call goes on', async () => arrivals.length > before + 100 || undefined)
    await clientOf('another').allocate()
  })

  test('stays in force over a restart, and tells nobody again', async () => {
    await relay.kill()
    await start()
    expect(await clientOf('ended').allocateRefused()).toBe(486)
    expect(await clientOf('any').allocateRefused()).toBe(486)
    await sleep(1500)
    expect(percents('ended')).toHaveLength(2)
    expect(metric(await relay.metrics(), 'hairpin_budget_used_ratio', { app: 'ended' })).toBeGreaterThanOrEqual(1)
  })
})
