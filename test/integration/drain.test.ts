/** SIGTERM to a relay with a call on it. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { mintCredential } from '../../services/turn/src/index.ts'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { background, sleep, until } from '../helpers/exec.ts'

const main = join(import.meta.dirname, '..', '..', 'services', 'turn', 'src', 'main.ts')
const secret = 'a-shared-secret-of-the-test'
const port = 33_488
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function relayWith(env: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-drain-'))
  const relay = background(process.execPath, [main], {
    HAIRPIN_DATA_DIR: folder,
    HAIRPIN_HTTP_SOCKET: join(folder, 'http.sock'),
    HAIRPIN_ADMIN_SOCKET: join(folder, 'admin.sock'),
    HAIRPIN_TURN_PORT: String(port),
    HAIRPIN_TURN_SECRETS: secret,
    HAIRPIN_LISTEN_IPS: '127.0.0.1',
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_WORKERS: '2',
    ...env,
  })
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }), relay.stop)
  const ready = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { socketPath: join(folder, 'admin.sock'), path: '/readyz' }
      request(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
  await until('the relay is ready', async () => ((await ready()) === 200 ? true : undefined))
  const ended = once(relay.process, 'exit') as Promise<[number | null, string | null]>
  return { relay, ready, ended }
}

function clientOf(user: string): RelayClient {
  const expiry = Math.floor(Date.now() / 1000) + 600
  const { username, credential } = mintCredential({ secret, app: 'shop', user, expiry })
  const client = new RelayClient({ address: '127.0.0.1', port }, { username, password: credential })
  cleanUp.push(() => client.close())
  return client
}

test.each([
  ['hairpin', { HAIRPIN_ALTERNATE_SERVER: '192.0.2.7:3478' }, 300],
  ['hairpin', {}, 508],
  ['node-turn', {}, 486],
])(
  '%s drains: not ready, refuses the new, serves the old to its end, then exits with 0 (%j: %i)',
  async (engine, env, code) => {
    const { relay, ready, ended } = await relayWith({
      HAIRPIN_TURN_ENGINE: engine,
      HAIRPIN_DRAIN_SECONDS: '30',
      ...env,
    })
    const [ada, bob] = [clientOf('ada'), clientOf('bob')]
    const [adas, bobs] = [await ada.allocate(), await bob.allocate()]
    await ada.permit(bobs)
    await bob.permit(adas)

    relay.process.kill('SIGTERM')
    await until('it is not ready', async () => ((await ready()) === 503 ? true : undefined))
    const eve = clientOf('eve')
    await expect(eve.allocate()).rejects.toThrow()
    expect((await eve.next('failed')).code).toBe(code)
    ada.send(bobs, 'still there')
    expect((await bob.receive()).text).toBe('still there')

    await ada.release()
    await sleep(500)
    expect(relay.process.exitCode).toBeNull()
    await bob.release()
    const started = performance.now()
    expect(await ended).toEqual([0, null])
    expect(performance.now() - started).toBeLessThan(5000)
  },
)

test('the time to drain is bounded', async () => {
  const { relay, ended } = await relayWith({ HAIRPIN_DRAIN_SECONDS: '2' })
  await clientOf('ada').allocate()
  const started = performance.now()
  relay.process.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(performance.now() - started).toBeGreaterThan(1900)
})

test('a second signal ends it at once', async () => {
  const { relay, ready, ended } = await relayWith({ HAIRPIN_DRAIN_SECONDS: '60' })
  await clientOf('ada').allocate()
  relay.process.kill('SIGTERM')
  await until('it is not ready', async () => ((await ready()) === 503 ? true : undefined))
  relay.process.kill('SIGTERM')
  expect(await ended).toEqual([1, null])
})
