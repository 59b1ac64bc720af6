import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Report } from '@hairpin/checks'
import { loadConfig } from '@hairpin/config'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startServer } from '../../../services/signaling/test/support/server.ts'
import { CertificateFolder } from '../../../services/turn/test/support/certificates.ts'
import { udpHole } from '../../../test/helpers/udp-hole.ts'
import { NodeDriver } from '../src/doctor/driver.ts'
import { firewallText } from '../src/doctor/firewall.ts'
import { doctor } from '../src/doctor.ts'
import { apiKey, startStack } from './support/stack.ts'

const whatsappSettings = {
  HAIRPIN_WHATSAPP_VERIFY_TOKEN: 'a-verify-token-of-the-test',
  HAIRPIN_WHATSAPP_APP_SECRET: 'an-app-secret-of-the-test-00000000',
  HAIRPIN_WHATSAPP_ACCESS_TOKEN: 'an-access-token-of-the-test',
  HAIRPIN_WHATSAPP_PHONE_NUMBER_ID: '100200300',
  HAIRPIN_WHATSAPP_CALLS: '10',
}
const elsewhere = { HAIRPIN_DATA_DIR: '/nonexistent' }
const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** The command as it is typed, with a short loop. */
async function run(args: readonly string[], environment: NodeJS.ProcessEnv = elsewhere) {
  let printed = ''
  const surroundings = {
    environment,
    print: (text: string) => {
      printed += `${text}\n`
    },
    loop: { bitsPerSecond: 1_000_000, milliseconds: 300 },
    answerLimit: 2_000,
  }
  const { text, exitCode } = await doctor(args, surroundings)
  return { exitCode, text: printed + text }
}

async function reportOf(args: readonly string[], environment?: NodeJS.ProcessEnv) {
  const { text, exitCode } = await run([...args, '--json'], environment)
  const report: Report = JSON.parse(text)
  const step = (id: string) => report.steps.find((candidate) => candidate.id === id)
  const outcomes = Object.fromEntries(report.steps.map(({ id, state, outcome }) => [id, `${state} ${outcome}`]))
  return { exitCode, text, report, step, outcomes }
}

describe('hairpin doctor', () => {
  describe('of a stack in order', () => {
    let stack: Awaited<ReturnType<typeof startStack>>
    beforeAll(async () => {
      // Other addresses than the one that this machine sends from: then it is a client from elsewhere.
      const ips = ['127.0.0.2', '127.0.0.3']
      const environment = {
        HAIRPIN_EXTERNAL_IP: '127.0.0.2',
        HAIRPIN_LISTEN_IPS: ips.join(),
        HAIRPIN_DISCOVERY_IPS: ips.join(),
        HAIRPIN_DISCOVERY_PORT: '0',
        HAIRPIN_PEER_ALLOW: '127.0.0.1/32',
      }
      stack = await startStack(environment, ips)
    }, 60_000)
    afterAll(() => stack?.stop())

    it('passes by its own key on the server, and prints what its firewall must let in', async () => {
      const { exitCode, text } = await run(['--log'], { ...stack.environment, HAIRPIN_EXTERNAL_IP: '198.51.100.7' })
      expect(exitCode, text).toBe(0)
      expect(text).toMatch(/^Connectivity check of http:\/\/localhost:\d+\n/)
      const titles = ['Server', 'WebSocket', 'Credentials', 'Clocks', 'STUN', 'NAT', 'TURN over UDP', 'Relayed ports']
      for (const title of titles) expect(text).toMatch(new RegExp(`^✓ passed {3}${title}`, 'm'))
      expect(text).toMatch(/^[✓!] \w+ +Relayed loop: .* % lost, jitter .* round trip .* over udp$/m)
      expect(text).toContain('it takes part in RFC 5780, its other address is 127.0.0.3:')
      expect(text).toContain('mapping: none, by 3 destination(s)')
      expect(text).toContain("ufw allow 49152:65535/udp comment 'relayed ports'")
      expect(text).toMatch(/Open http:\/\/198\.51\.100\.7:\d+\/check in a browser in another network/)
      expect(text).not.toContain(apiKey)
    })

    it('passes as a guest, and with a key from the environment', async () => {
      const guest = await reportOf(['--url', stack.url])
      expect(guest).toMatchObject({ exitCode: 0, outcomes: { credentials: 'passed given', loop: expect.anything() } })
      // HMAC-SHA1 in base64: what every credential is.
      expect(guest.text).not.toMatch(/[\w+/]{27}=/)
      const keyed = await reportOf(['--url', stack.url], { ...elsewhere, HAIRPIN_DOCTOR_KEY: apiKey })
      expect(keyed).toMatchObject({ exitCode: 0, outcomes: { 'turn-udp': 'passed relayed' } })
      expect(keyed.text).not.toContain(apiKey)
    })

    it('says that a key is wrong, and does not repeat it', async () => {
      const { exitCode, text } = await run(['--url', stack.url, '--api-key', 'a-key-of-nobody'])
      expect(exitCode).toBe(1)
      expect(text).toMatch(
        /^✗ failed {3}Credentials: TURN_UNAUTHORIZED\n {4}The server does not know this API key or token/m,
      )
      expect(text).toMatch(/^– skipped {2}STUN: Not tried, because “Credentials” failed\.$/m)
      expect(text).not.toContain('a-key-of-nobody')
    })

    it('plays the part of a page that may not connect', async () => {
      const { exitCode, outcomes } = await reportOf(['--url', stack.url, '--origin', 'https://elsewhere.example'])
      expect(exitCode).toBe(1)
      expect(outcomes).toMatchObject({ websocket: 'failed origin', credentials: 'skipped needs' })
    })
  })

  it('says that it needs a key where no guests are admitted', async () => {
    const { port } = await startServer({ demo: false })
    const { exitCode, outcomes } = await reportOf(['--url', `http://127.0.0.1:${port}`])
    expect(exitCode).toBe(1)
    expect(outcomes).toMatchObject({ websocket: 'passed open', credentials: 'failed guests' })
  })

  it('tells UDP that a firewall drops from TCP and TLS that get through, and warns of the certificate', async () => {
    const certificates = new CertificateFolder()
    closers.push(() => certificates.remove())
    const { cert, key } = certificates.make('relay')
    const filtered = '127.0.0.2'
    const tls = { HAIRPIN_TLS_CERT: cert, HAIRPIN_TLS_KEY: key, HAIRPIN_TURNS_PORT: '0' }
    const stack = await startStack({ ...tls, HAIRPIN_TURN_HOST: filtered })
    closers.push(() => stack.stop())
    for (const port of [stack.turnPort, stack.turnsPort!]) {
      const hole = await udpHole(filtered, '127.0.0.1', port)
      closers.push(() => hole.close())
    }
    const { exitCode, outcomes, step } = await reportOf(['--url', stack.url])
    expect(exitCode).toBe(1)
    expect(outcomes).toMatchObject({
      stun: 'failed silent',
      'turn-udp': 'failed timeout',
      'turn-tcp': 'passed relayed',
      'turn-tls': 'passed relayed',
      'turns-certificate': 'warning self-signed',
    })
    expect(step('turn-udp')?.todo).toContain('open UDP on the relay’s port')
    expect(step('turns-certificate')?.facts).toMatchObject({ names: ['localhost', '127.0.0.1'], host: filtered })
    expect(step('loop')?.facts).toMatchObject({ transport: 'tcp' })
  }, 60_000)

  it.each([
    [[], /name the server with --url/],
    [['--url', 'calls.example.com'], /--url is an address/],
    [['--url', 'ftp://calls.example.com'], /--url is an address/],
    [['--url', 'https://ada:pw@calls.example.com'], /no user name/],
    [['--url', 'https://calls.example.com/check'], /takes no path: https:\/\/calls\.example\.com is enough/],
    [['--url', 'http://127.0.0.1:1', '--stun', 'nobody'], /--stun is HOST:PORT/],
    [['--url', 'http://127.0.0.1:1', '--api-key', 'a\nb'], /characters/],
    [['--url', 'http://127.0.0.1:1', '--api-key', 'a', '--token', 'b'], /not both/],
    [['--frob'], /--frob/],
  ])('says what is wrong with %j', async (args, message) => {
    await expect(run(args)).rejects.toThrow(message)
  })

  it('ends with 1 where nobody answers, with a verdict and no stack', async () => {
    const main = join(import.meta.dirname, '..', 'src', 'main.ts')
    const command = promisify(execFile)(process.execPath, [main, 'doctor', '--url', 'http://127.0.0.1:1'])
    const failed = await command.catch((error: { code: number; stdout: string; stderr: string }) => error)
    expect(failed).toMatchObject({ code: 1, stderr: '' })
    expect(failed.stdout).toMatch(/✗ failed {3}Server: .*ECONNREFUSED/)
    expect(failed.stdout).not.toMatch(/^\s+at /m)
  })
})

it('sends no key to a server that could be anybody’s', async () => {
  const driver = new NodeDriver({ origin: 'http://192.0.2.1', bearer: apiKey })
  expect(await driver.apiCredentials(() => {})).toEqual({ state: 'withheld' })
})

it('looks at the certificate of the public origin', async () => {
  const certificates = new CertificateFolder()
  closers.push(() => certificates.remove())
  const { cert, key } = certificates.make('https')
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_, response) => response.end())
  closers.push(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const driver = new NodeDriver({ origin: `https://localhost:${(server.address() as AddressInfo).port}` })
  const facts = await driver.server(() => {})
  expect(facts).toMatchObject({ status: 200, certificate: { problem: 'self-signed', host: 'localhost' } })
})

it('words the rules of the firewall by the configuration', () => {
  const base = { HAIRPIN_TURN_PORT: '3478', HAIRPIN_RELAY_PORTS: '50000-50999' }
  const compose = firewallText(loadConfig({ ...base, HAIRPIN_HTTP_SOCKET: '/run/http.sock', HAIRPIN_TCP_RELAY: '1' }))
  expect(compose).toContain('nft add rule inet filter input tcp dport { 80, 443, 3478, 50000-50999 } accept')
  expect(compose).toContain('nft add rule inet filter input udp dport { 443, 3478, 50000-50999 } accept')
  expect(compose).toContain('    UDP 50000-50999  (relayed ports)')
  const tls = { HAIRPIN_TLS_CERT: 'cert.pem', HAIRPIN_TLS_KEY: 'key.pem' }
  expect(firewallText(loadConfig({ ...base, ...tls }))).toContain("ufw allow 5349/tcp comment 'TURN over TLS'")
  const whatsapp = loadConfig({ ...base, ...whatsappSettings, HAIRPIN_WHATSAPP_MEDIA_PORTS: '48000-48099' })
  expect(firewallText(whatsapp)).toContain("ufw allow 48000:48099/udp comment 'media of WhatsApp calls'")
  expect(firewallText(loadConfig({ ...base, HAIRPIN_TURN_ENGINE: 'node-turn' }))).not.toContain('3478/tcp')
})
