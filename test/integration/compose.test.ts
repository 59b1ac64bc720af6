/**
 * The compose stack as a newcomer starts it: no settings, no .env. Grafana stays out (its image is in no package
 * archive); its provisioning is checked in grafana.test.ts and its queries here.
 */
import type { Browser } from 'playwright-core'
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, type WaitStrategy } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { launchBrowser } from '../helpers/browser.ts'
import { call, callFacts, carriedBy, fallSilent, type Guest, hangUp, join, leave, talking } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import { type ComposeProject, composeProject, root, services } from '../helpers/compose.ts'
import { inspect, openPorts, processes } from '../helpers/container.ts'
import { dashboardPanels } from '../helpers/dashboard.ts'
import { exec, sleep, until } from '../helpers/exec.ts'
import { type Answer, request } from '../helpers/https.ts'

const origin = 'https://127.0.0.1'

describe.skipIf(!has('docker'))('docker compose up with no settings', () => {
  let project: ComposeProject
  let stack: StartedDockerComposeEnvironment

  const id = (service: string) => stack.getContainer(`${service}-1`).getId()
  const credentials = (key: string): Promise<Answer> =>
    request(`${origin}/api/v1/turn/credentials`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{}',
    })
  const apiKey = async () => {
    const secrets = JSON.parse(await exec('docker', 'exec', id('turn'), 'cat', '/data/secrets.json'))
    return secrets.apiKeys[0].key as string
  }
  /** Instant query. */
  const prometheus = async (query: string): Promise<{ metric: Record<string, string>; value: number }[]> => {
    const { IPAddress } = Object.values((await inspect(id('prometheus'))).NetworkSettings.Networks)[0]!
    const answer = await fetch(`http://${IPAddress}:9090/api/v1/query?query=${encodeURIComponent(query)}`)
    const body = (await answer.json()) as PrometheusAnswer
    if (body.status !== 'success') throw new Error(`${query}: ${body.error}`)
    return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
  }

  beforeAll(async () => {
    project = await composeProject()
    stack = await new DockerComposeEnvironment(root, [...project.files])
      .withProjectName(project.name)
      .withEnvironmentFile('/dev/null')
      .withEnvironment(project.env)
      .withBuild()
      .withDefaultWaitStrategy(noWait)
      .up([...services])
    await project.run(['up', '-d', '--wait', ...services]).catch(async (error) => {
      throw new Error(`${error.message}\n${await project.run(['logs', '--tail', '40'])}`)
    })
  })

  afterAll(async () => {
    await project?.remove()
  })

  test('brings up every service, healthy', async () => {
    for (const service of services) expect((await inspect(id(service))).State.Health?.Status).toBe('healthy')
  })

  test('listens publicly on 80, 443 and the STUN port alone', async () => {
    const published: string[] = []
    for (const service of services)
      for (const [port, bindings] of Object.entries((await inspect(id(service))).NetworkSettings.Ports))
        if (bindings?.length) published.push(`${service} ${port}`)
    expect(published.sort()).toEqual(['caddy 443/tcp', 'caddy 443/udp', 'caddy 80/tcp'])
    // The relay is on the host's network: what its processes listen on is public.
    const pids = new Set((await processes(id('turn'))).map(({ pid }) => pid))
    expect(await openPorts(pids)).toEqual(['3478/tcp', '3478/udp'])
  })

  test('runs every container without root, capabilities or a writable root file system', async () => {
    for (const service of services) {
      const { HostConfig } = await inspect(id(service))
      expect.soft(HostConfig.ReadonlyRootfs, service).toBe(true)
      expect.soft(HostConfig.CapDrop, service).toEqual(['ALL'])
      expect.soft(HostConfig.SecurityOpt, service).toContain('no-new-privileges:true')
      for (const { uid } of await processes(id(service))) expect.soft(uid, service).toBeGreaterThan(0)
      await expect.soft(exec('docker', 'exec', id(service), 'touch', '/probe'), service).rejects.toThrow(/Read-only/)
    }
  })

  test('keeps its generated secrets to its own user', async () => {
    const listing = await exec('docker', 'exec', id('turn'), 'stat', '-c', '%a %u', '/data', '/data/secrets.json')
    expect(listing.trim().split('\n')).toEqual(['700 10001', '600 10001'])
  })

  test('serves the page over HTTPS and sends plain HTTP there', async () => {
    const page = await request(`${origin}/`)
    expect([page.status, page.headers['content-type']]).toEqual([200, expect.stringContaining('text/html')])
    const plain = await request('http://127.0.0.1/somewhere?x=1')
    expect([plain.status, plain.headers.location]).toEqual([308, `${origin}/somewhere?x=1`])
    // Metrics and health of the inside are not reachable from outside.
    expect((await request(`${origin}/metrics`)).status).toBe(404)
  })

  test('has no WhatsApp calls without their profile, and says so to Meta', async () => {
    for (const path of ['/call-events', '/api/v1/whatsapp/calls']) {
      const { status, body } = await request(`${origin}${path}`)
      expect([status, JSON.parse(body).error.code]).toEqual([404, 'NOT_FOUND'])
    }
    const config = async (env: Record<string, string>) =>
      JSON.parse(await project.run(['--profile', 'whatsapp', 'config', '--format', 'json'], { env })).services
    const { turn, signaling, whatsapp } = await config({ HAIRPIN_WHATSAPP_PHONE_NUMBER_ID: '106540352242922' })
    for (const key of ['network_mode', 'read_only', 'cap_drop', 'security_opt', 'volumes'])
      expect.soft(whatsapp[key], key).toEqual(turn[key])
    // Both find each other by the same socket, and signaling looks for it only where there is a number.
    expect(signaling.environment.HAIRPIN_WHATSAPP_DESK).toBe(whatsapp.environment.HAIRPIN_WHATSAPP_DESK)
    expect((await config({})).signaling.environment.HAIRPIN_WHATSAPP_DESK).toBe('')
  })

  test('gives credentials for the generated key, and 401 for another', async () => {
    const given = await credentials(await apiKey())
    expect(given.status).toBe(201)
    expect(JSON.parse(given.body).iceServers.flatMap((server: { urls: string[] }) => server.urls)).toContainEqual(
      expect.stringMatching(/^turn:.+:3478\?transport=udp$/),
    )
    const refused = await credentials('no-such-key')
    expect([refused.status, JSON.parse(refused.body).error.code]).toEqual([401, expect.any(String)])
  })

  test('lets nobody choose the address that limits count by', async () => {
    // 200 connections are allowed from one address; each of these claims another one.
    const open: WebSocket[] = []
    try {
      // All at once: who says nothing for ten seconds is not connected any more.
      const hosts = Array.from({ length: 200 }, (_, index) => `192.0.2.${index + 1}`)
      open.push(...(await Promise.all(hosts.map((host) => connect({ 'x-forwarded-for': host })))))
      await expect(connect({ 'x-forwarded-for': '198.51.100.1' })).rejects.toThrow('429')
    } finally {
      for (const socket of open) socket.terminate()
    }
  })

  test('speaks WebSocket through Caddy', async () => {
    const socket = await connect({})
    const first = await new Promise((resolve) => socket.once('message', (data) => resolve(JSON.parse(String(data)))))
    expect(first).toMatchObject({ type: 'id' })
    socket.terminate()
  })

  test('is scraped: both services, over networks that are not public', async () => {
    const up = await until('both targets are up', async () => {
      const result = await prometheus('up == 1')
      return result.length === 2 ? result.map(({ metric }) => metric.job) : undefined
    })
    expect(up.sort()).toEqual(['signaling', 'turn'])
  })

  test('comes back after a kill that left its sockets behind', async () => {
    const before = await inspect(id('turn'))
    process.kill(before.State.Pid, 'SIGKILL')
    await until('the relay was restarted', async () => {
      const now = await inspect(id('turn'))
      return (now.RestartCount > before.RestartCount && now.State.Health?.Status === 'healthy') || undefined
    })
    expect((await credentials(await apiKey())).status).toBe(201)
  })

  describe.skipIf(!has('chromium'))('a relay-only call', () => {
    let browser: Browser
    let alice: Guest
    let bob: Guest

    beforeAll(async () => {
      // The address that the relay found is this machine's own on its network; test traffic stays on loopback.
      // Only the relay is made anew: the others must find it again.
      await project.run(['up', '-d', '--wait', '--no-deps', 'turn'], { env: loopbackRelay })
      browser = await launchBrowser()
      alice = await join(browser, origin, { name: 'alice', relayOnly: true })
      bob = await join(browser, origin, { name: 'bob', relayOnly: true })
    })

    afterAll(() => browser?.close())

    test('connects on the demo page over HTTPS, and video is decoded on both sides', async () => {
      await call(alice, bob)
      for (const guest of [alice, bob])
        await carriedBy(guest, { local: 'relay', remote: 'relay', relayProtocol: 'udp' })
    })

    test('gives every dashboard panel its data while it runs', async () => {
      // Scraped twice, and the recording rules evaluated after that.
      await sleep(20_000)
      for (const { title, query } of await dashboardPanels()) {
        const result = await prometheus(query.replaceAll('$__rate_interval', '30s'))
        expect.soft(result.length, `${title}: ${query}`).toBeGreaterThan(0)
      }
      const [bandwidth] = await prometheus('8 * sum(rate(hairpin_relay_bytes_total[30s]))')
      expect(bandwidth?.value).toBeGreaterThan(10_000)
    })

    test('is in Prometheus with the bytes that the browsers count, within 2 %', async () => {
      await fallSilent(alice, bob)
      // Two scrapes later everything is in.
      await sleep(11_000)
      const facts = [await callFacts(alice), await callFacts(bob)]
      const sent = facts.reduce((sum, side) => sum + (side?.bytesSent ?? 0), 0)
      const received = facts.reduce((sum, side) => sum + (side?.bytesReceived ?? 0), 0)
      expect(sent).toBeGreaterThan(100_000)
      for (const [direction, browsers] of [
        ['client_to_peer', sent],
        ['peer_to_client', received],
      ] as const) {
        const [counted] = await prometheus(`sum(hairpin_relay_bytes_total{direction="${direction}"})`)
        expect(Math.abs((counted?.value ?? 0) - browsers) / browsers, direction).toBeLessThan(0.02)
      }
      await hangUp(alice)
      await leave(alice, bob)
    })
  })

  test('also carries a call with the relay on a bridge network', async ({ skip }) => {
    if (!has('chromium')) skip('chromium is not available')
    // Another port than the default one, to see that it is also the one that clients are told.
    const env = { ...loopbackRelay, HAIRPIN_TURN_PORT: '13478' }
    await project.run(['up', '-d', '--wait', '--no-deps', 'turn'], { files: ['infra/compose/bridge.yml'], env })
    const browser = await launchBrowser()
    try {
      const guests: [Guest, Guest] = [
        await join(browser, origin, { name: 'alice', relayOnly: true }),
        await join(browser, origin, { name: 'bob', relayOnly: true }),
      ]
      await call(...guests)
      // From which interfaces a browser gets through Docker's proxy over UDP is Docker's affair: relayed it must be.
      for (const guest of guests) expect((await talking(guest)).pair.local).toBe('relay')
    } finally {
      await browser.close()
    }
  })
})

/** A wait of testcontainers' own takes the stack down when it fails, before the logs can be read. */
const noWait: WaitStrategy = {
  waitUntilReady: async () => {},
  withStartupTimeout: () => noWait,
  isStartupTimeoutSet: () => false,
  getStartupTimeout: () => 0,
}

const loopbackRelay = {
  HAIRPIN_EXTERNAL_IP: '127.0.0.1',
  HAIRPIN_STUN_SERVER: 'off',
  HAIRPIN_BUDGETS: '* monthly 1000 GB: 100%',
}

interface PrometheusAnswer {
  readonly status: string
  readonly error?: string
  readonly data: {
    readonly result: ReadonlyArray<{ metric: Record<string, string>; value: readonly [number, string] }>
  }
}

/** Resolves when the connection is open; the error names the HTTP status of a refusal. */
function connect(headers: Readonly<Record<string, string>>): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket('wss://127.0.0.1/ws', 'json', { rejectUnauthorized: false, origin, headers })
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
  })
}
