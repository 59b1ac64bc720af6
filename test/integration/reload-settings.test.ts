/** Settings change under a running call: the file that lies over the environment. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { mintCredential } from '../../services/turn/src/index.ts'
import { bindUdp } from '../../services/turn/src/net/udp-socket.ts'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { background, until } from '../helpers/exec.ts'

const main = join(import.meta.dirname, '..', '..', 'services', 'turn', 'src', 'main.ts')
const secret = 'a-secret-of-the-tests'
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

function echo(address: string) {
  const socket = bindUdp({ address, port: 0, family: 4 })
  cleanUp.push(() => socket.close())
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address))
  return { address, port: socket.address().port, family: 4 as const }
}

test('peers, limits and secrets of the file count at once, and the call they leave alone loses no packet', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-settings-'))
  const file = join(folder, 'hairpin.env')
  const write = (...lines: string[]) => {
    writeFileSync(`${file}.new`, lines.join('\n'))
    renameSync(`${file}.new`, file)
  }
  const base = ['HAIRPIN_REALM=file', `HAIRPIN_TURN_SECRETS=${secret}`]
  write(...base)
  const relay = background(process.execPath, [main], {
    HAIRPIN_DATA_DIR: folder,
    HAIRPIN_HTTP_SOCKET: join(folder, 'http.sock'),
    HAIRPIN_ADMIN_SOCKET: join(folder, 'admin.sock'),
    HAIRPIN_TURN_PORT: '0',
    HAIRPIN_LISTEN_IPS: '127.0.0.1',
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_WORKERS: '2',
    HAIRPIN_REALM: 'environment',
    HAIRPIN_PEER_ALLOW: '127.0.0.0/8',
  })
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }), relay.stop)
  const said = (what: string | RegExp, times = 1) =>
    until(String(what), async () => (relay.output().split(what).length > times ? true : undefined))
  await said('credentials and usage API at')
  const port = Number(/"port":(\d+)/.exec(relay.output())?.[1])
  const clientOf = (user: string, key = secret) => {
    const expiry = Math.floor(Date.now() / 1000) + 600
    const { username, credential } = mintCredential({ secret: key, app: 'shop', user, expiry })
    const client = new RelayClient({ address: '127.0.0.1', port }, { username, password: credential })
    cleanUp.push(() => client.close())
    return client
  }

  const [near, far] = [echo('127.0.0.1'), echo('127.0.0.2')]
  const ada = clientOf('ada')
  await ada.allocate()
  await ada.bind(near)
  await ada.bind(far)
  ada.send(far, 'hello')
  expect(await ada.receive()).toMatchObject({ text: 'hello', from: far })
  let [sent, back] = [0, 0]
  ada.socket.on('message', (bytes: Buffer) => {
    if (bytes.includes('near')) back++
    if (bytes.includes('far')) expect.unreachable('a denied peer was reached')
  })
  const timer = setInterval(() => {
    ada.send(near, 'near')
    sent++
  }, 10)
  cleanUp.push(() => clearInterval(timer))

  // By signal. The live allocation counts for the new quota.
  write(...base, 'HAIRPIN_PEER_ALLOW=127.0.0.1', 'HAIRPIN_USER_QUOTA=1')
  relay.process.kill('SIGHUP')
  await said('TURN_SETTINGS_RELOADED')
  await until('the denied peer lost its channel', async () => {
    expect(await ada.bindRefused(far)).toBe(403)
    return true
  })
  ada.send(far, 'far')
  expect(await clientOf('ada').allocateRefused()).toBe(486)
  await clientOf('bob').allocate()

  write(...base, 'HAIRPIN_PEER_ALLOW=127.0.0.1', 'HAIRPIN_USER_QUOTA=1', 'HAIRPIN_MAX_BPS=fast')
  relay.process.kill('SIGHUP')
  await said(/TURN_SETTINGS_REJECTED.*HAIRPIN_MAX_BPS/)
  write(...base, 'HAIRPIN_PEER_ALLOW=127.0.0.1', 'HAIRPIN_USER_QOUTA=5')
  await said(/TURN_SETTINGS_REJECTED.*HAIRPIN_USER_QOUTA/)
  expect(await clientOf('ada').allocateRefused()).toBe(486)

  // By the change of the file alone. What the file no longer names is what the environment says.
  write('HAIRPIN_REALM=other', 'HAIRPIN_TURN_SECRETS=another-secret-of-the-tests')
  await said(/TURN_SETTINGS_NEED_RESTART.*HAIRPIN_REALM/)
  await said('TURN_SECRETS_RELOADED')
  expect(await clientOf('cleo').allocateRefused()).toBe(401)
  await clientOf('ada', 'another-secret-of-the-tests').allocate()
  expect(await ada.bind(far)).toBeGreaterThan(0)

  clearInterval(timer)
  expect(sent).toBeGreaterThan(50)
  await until('every packet came back', async () => (back === sent ? true : undefined), 5)
}, 60_000)
