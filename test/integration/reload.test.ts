/** Secrets change under a running call. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { mintCredential, passwordFor } from '../../services/turn/src/index.ts'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { background, sleep, until } from '../helpers/exec.ts'

const main = join(import.meta.dirname, '..', '..', 'services', 'turn', 'src', 'main.ts')
const port = 33_508
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

test.each(['hairpin', 'node-turn'])('%s: secrets and API keys are read again without a lost packet', async (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-reload-'))
  const relay = background(process.execPath, [main], {
    HAIRPIN_TURN_ENGINE: engine,
    HAIRPIN_DATA_DIR: folder,
    HAIRPIN_HTTP_SOCKET: join(folder, 'http.sock'),
    HAIRPIN_ADMIN_SOCKET: join(folder, 'admin.sock'),
    HAIRPIN_TURN_PORT: String(port),
    HAIRPIN_LISTEN_IPS: '127.0.0.1',
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_WORKERS: '2',
  })
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }), relay.stop)
  const file = join(folder, 'secrets.json')
  const write = (content: string) => {
    writeFileSync(`${file}.new`, content, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  const credentials = async (key: string) => {
    const headers = { authorization: `Bearer ${key}` }
    const path = '/api/v1/turn/credentials'
    const sent = request({ socketPath: join(folder, 'http.sock'), method: 'POST', path, headers }).end()
    const [response] = await once(sent, 'response')
    return { status: response.statusCode, body: JSON.parse(await text(response)) }
  }
  const said = (what: string, times = 1) =>
    until(what, async () => (relay.output().split(what).length > times ? true : undefined))
  await said('credentials and usage API at')

  const first = JSON.parse(readFileSync(file, 'utf8'))
  const [oldSecret, newSecret] = [first.turnSecrets[0], 'the-new-secret-of-the-relay']
  const clientOf = (secret: string, user: string) => {
    const { username, credential } = mintCredential({
      secret,
      app: 'shop',
      user,
      expiry: Math.floor(Date.now() / 1000) + 600,
    })
    const client = new RelayClient({ address: '127.0.0.1', port }, { username, password: credential })
    cleanUp.push(() => client.close())
    return client
  }
  const refused = async (secret: string) => {
    const client = clientOf(secret, 'eve')
    await expect(client.allocate()).rejects.toThrow()
    return (await client.next('failed')).code
  }

  const [ada, bob] = [clientOf(oldSecret, 'ada'), clientOf(oldSecret, 'bob')]
  const [adas, bobs] = [await ada.allocate(), await bob.allocate()]
  await bob.permit(adas)
  await ada.bind(bobs)
  let [sent, received] = [0, 0]
  bob.socket.on('message', (bytes: Buffer) => {
    if (bytes.includes('packet ')) received++
  })
  const timer = setInterval(() => ada.send(bobs, `packet ${sent++}`), 10)
  cleanUp.push(() => clearInterval(timer))

  expect(await refused(newSecret)).toBe(401)
  // Rotation: the new secret mints, the old one still counts. By signal.
  const rotated = { ...first, turnSecrets: [newSecret, oldSecret] }
  write(JSON.stringify(rotated))
  relay.process.kill('SIGHUP')
  await said('TURN_SECRETS_RELOADED')
  const { username, credential } = (await credentials(first.apiKeys[0].key)).body.iceServers[1]
  expect(credential).toBe(passwordFor(newSecret, username))
  await clientOf(newSecret, 'cleo').allocate()
  await clientOf(oldSecret, 'dan').allocate()

  write('{"turnSecrets":')
  await said('TURN_SECRETS_REJECTED')
  expect((await credentials(first.apiKeys[0].key)).status).toBe(201)

  // The old ones are dropped. By the change of the file alone.
  write(
    JSON.stringify({
      ...rotated,
      turnSecrets: [newSecret],
      apiKeys: [{ app: 'shop', key: 'another-key-of-the-shop' }],
    }),
  )
  await said('TURN_SECRETS_RELOADED', 2)
  expect(await refused(oldSecret)).toBe(401)
  expect((await credentials(first.apiKeys[0].key)).status).toBe(401)
  expect((await credentials('another-key-of-the-shop')).status).toBe(201)

  clearInterval(timer)
  await sleep(300)
  expect(sent).toBeGreaterThan(100)
  expect(received).toBe(sent)
})
