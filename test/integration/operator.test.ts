/** What an operator can do to a running relay: look at allocations, end them, revoke credentials. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { mintCredential } from '../../services/turn/src/index.ts'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { type Background, background, until } from '../helpers/exec.ts'

const main = join(import.meta.dirname, '..', '..', 'services', 'turn', 'src', 'main.ts')
const secret = 'a-shared-secret-of-the-test'
const keys = { shop: 'the-key-of-the-shop', game: 'the-key-of-the-game' }
const port = 33_498
const folder = mkdtempSync(join(tmpdir(), 'hairpin-operator-'))
let relay: Background
const clients: RelayClient[] = []

async function start(): Promise<void> {
  relay = background(process.execPath, [main], {
    HAIRPIN_DATA_DIR: folder,
    HAIRPIN_HTTP_SOCKET: join(folder, 'http.sock'),
    HAIRPIN_ADMIN_SOCKET: join(folder, 'admin.sock'),
    HAIRPIN_TURN_PORT: String(port),
    HAIRPIN_TURN_SECRETS: secret,
    HAIRPIN_API_KEYS: `shop:${keys.shop},game:${keys.game}`,
    HAIRPIN_LISTEN_IPS: '127.0.0.1',
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_WORKERS: '2',
  })
  await until('the relay is ready', async () =>
    (await call('admin', 'GET', '/readyz')).status === 200 ? true : undefined,
  )
}

beforeAll(start)
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
afterAll(async () => {
  await relay?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function call(where: 'http' | 'admin', method: string, path: string, headers: Record<string, string> = {}) {
  const sent = request({ socketPath: join(folder, `${where}.sock`), method, path, headers }).end()
  const [response] = await once(sent, 'response')
  const body = await text(response)
  return { status: response.statusCode as number, body, json: body.startsWith('{') ? JSON.parse(body) : undefined }
}

const credentialOf = (user: string, app = 'shop') =>
  mintCredential({ secret, app, user, expiry: Math.floor(Date.now() / 1000) + 600 })

function clientOf({ username, credential }: { username: string; credential: string }): RelayClient {
  const client = new RelayClient({ address: '127.0.0.1', port }, { username, password: credential })
  clients.push(client)
  return client
}

const total = async (user: string) => (await call('admin', 'GET', `/admin/allocations?user=${user}`)).json.total

describe('allocations', () => {
  test('are listed with ids of their own, over all workers, without peers unless asked', async () => {
    const [ada, others] = [
      clientOf(credentialOf('ada')),
      Array.from({ length: 5 }, () => clientOf(credentialOf('bob'))),
    ]
    const relayed = await ada.allocate()
    const [first] = await Promise.all(others.map((client) => client.allocate()))
    await ada.bind(first!)
    const { status, json, body } = await call('admin', 'GET', '/admin/allocations')
    expect(status).toBe(200)
    expect(json.total).toBe(6)
    expect(new Set(json.allocations.map(({ id }: { id: string }) => id)).size).toBe(6)
    expect(body).not.toContain(`127.0.0.1:${ada.socket.address().port}`)
    expect(body).not.toMatch(/secret|password|key|"peers"/i)
    const mine = json.allocations.find(({ user }: { user: string }) => user === 'ada')
    expect(mine).toMatchObject({ app: 'shop', client: '127.0.0.0/24', transport: 'udp', channels: 1, permissions: 1 })
    expect(mine.relayed).toEqual([`127.0.0.1:${relayed.port}`])

    const one = await call('admin', 'GET', `/admin/allocations/${mine.id}?peers=1`)
    expect(one.json.client).toBe(`127.0.0.1:${ada.socket.address().port}`)
    expect(one.json.peers.channels).toEqual([{ number: 0x4000, peer: `127.0.0.1:${first!.port}` }])
  })

  test('are ended one by one', async () => {
    await clientOf(credentialOf('cleo')).allocate()
    const { json } = await call('admin', 'GET', '/admin/allocations?user=cleo')
    const path = `/admin/allocations/${json.allocations[0].id}`
    expect((await call('admin', 'DELETE', path)).status).toBe(204)
    expect(await total('cleo')).toBe(0)
    const gone = await call('admin', 'DELETE', path)
    expect([gone.status, gone.json.error.code]).toEqual([404, 'TURN_NO_ALLOCATION'])
  })

  test('are shown to nobody who calls the port by a name that a web page could own', async () => {
    const { status, json } = await call('admin', 'GET', '/admin/allocations', { host: 'evil.example:9464' })
    expect([status, json.error.code]).toEqual([403, 'ADMIN_HOST_DENIED'])
    expect((await call('http', 'GET', '/admin/allocations')).status).toBe(404)
  })
})

describe('a revoked credential', () => {
  const revoke = (username: string, key: string) =>
    call('http', 'POST', `/api/v1/turn/credentials/${encodeURIComponent(username)}/revoke`, {
      authorization: `Bearer ${key}`,
    })

  test('ends what it allocated within a second, makes nothing new, and stays revoked after a restart', async () => {
    const [dan, eve] = [credentialOf(`dan ${'x'.repeat(120)}`), credentialOf('eve')]
    const allocations = Array.from({ length: 4 }, () => clientOf(dan))
    await Promise.all(allocations.map((client) => client.allocate()))
    await clientOf(eve).allocate()
    const user = encodeURIComponent(dan.username.split('/')[1]!)
    expect(await total(user)).toBe(4)

    expect((await revoke(dan.username, keys.shop)).status).toBe(204)
    const started = performance.now()
    await until('its allocations are gone', async () => ((await total(user)) === 0 ? true : undefined))
    expect(performance.now() - started).toBeLessThan(1000)
    expect(await total('eve')).toBe(1)
    const refused = async () => {
      const client = clientOf(dan)
      await expect(client.allocate()).rejects.toThrow()
      return (await client.next('failed')).code
    }
    expect(await refused()).toBe(401)
    expect((await revoke(dan.username, keys.shop)).status).toBe(204)

    await relay.stop()
    await start()
    expect(await refused()).toBe(401)
    await clientOf(eve).allocate()
    expect(JSON.parse(readFileSync(join(folder, 'revoked.json'), 'utf8'))).toEqual([dan.username])
  })

  test('is a matter of its own app', async () => {
    const { username } = credentialOf('fay')
    const codes = async (name: string, key: string) => {
      const { status, json } = await revoke(name, key)
      return [status, json?.error.code]
    }
    expect(await codes(username, keys.game)).toEqual([403, 'TURN_APP_FORBIDDEN'])
    expect(await codes(username, 'wrong')).toEqual([401, 'TURN_UNAUTHORIZED'])
    expect(await codes('no-expiry', keys.shop)).toEqual([400, 'TURN_USERNAME_INVALID'])
    expect(await codes('1000000000:shop/long-ago', keys.shop)).toEqual([204, undefined])
  })
})
