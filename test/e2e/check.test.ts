/** The connectivity check at /check in Chromium: over a relay in order, and over a way to it on which a firewall drops UDP. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser } from '../helpers/browser.ts'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import { violations } from '../helpers/looks.ts'
import { type Standalone, startStandalone } from '../helpers/standalone.ts'
import { udpHole } from '../helpers/udp-hole.ts'

/** Leads to the relay by TCP alone. */
const filtered = '127.0.0.2'

describe.skipIf(!has('chromium'))('the connectivity check', () => {
  let browser: Browser
  let stack: Standalone
  let hole: Awaited<ReturnType<typeof udpHole>>
  const log: string[] = []

  beforeAll(async () => {
    stack = await startStandalone()
    hole = await udpHole(filtered, '127.0.0.1', stack.turnPort)
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await hole?.close()
    await stack?.stop()
  })

  /** @param relay address that the server names in place of its own */
  async function checked(relay?: string): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 1400 } })
    const { origin } = new URL(stack.url)
    await context.grantPermissions(['clipboard-read', 'clipboard-write', 'microphone'], { origin })
    const page = await context.newPage()
    page.on('console', (message) => log.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => log.push(`uncaught: ${error.message}`))
    if (relay)
      await page.routeWebSocket('**/ws', (socket) => {
        const server = socket.connectToServer()
        const [own, named] = ['127.0.0.1', relay].map((address) => `${address}:${stack.turnPort}`) as [string, string]
        server.onMessage((message) => socket.send(String(message).replaceAll(own, named)))
      })
    await page.goto(`${stack.url}check`)
    await page.getByTestId('start').click()
    await until('the check is over', () => verdictOf(page), 60)
    return page
  }

  async function verdictOf(page: Page): Promise<string | undefined> {
    return (await page.getByTestId('verdict').getAttribute('data-verdict')) ?? undefined
  }

  async function statesOf(page: Page): Promise<Record<string, string | null>> {
    const steps = await page.getByTestId(/^step-/).all()
    return Object.fromEntries(
      await Promise.all(
        steps.map(async (step) => [
          (await step.getAttribute('data-testid'))?.slice('step-'.length),
          await step.getAttribute('data-state'),
        ]),
      ),
    )
  }

  let good: Page
  let bad: Page

  test('passes over a stack in order, and says so of each step', async () => {
    ;[good, bad] = await Promise.all([checked(), checked(filtered)])
    const { loop, websocket, ...states } = await statesOf(good)
    expect(states, await good.locator('textarea').inputValue()).toEqual({
      page: 'passed',
      microphone: 'passed',
      credentials: 'passed',
      clock: 'passed',
      stun: 'passed',
      nat: 'passed',
      'turn-udp': 'passed',
      'turn-tcp': 'passed',
      'turn-tls': 'skipped',
      ipv6: 'skipped',
      ports: 'skipped',
    })
    // A machine with much else to do is slow and loses packets.
    for (const state of [loop, websocket]) expect(['passed', 'warning']).toContain(state)
    expect(await good.getByTestId('step-loop').innerText()).toMatch(/Mbit\/s, .* % lost, jitter .* ms, round trip/)
    expect(await good.getByTestId('verdict').innerText()).toMatch(/get through/)
    expect(['passed', 'warning']).toContain(await verdictOf(good))
  }, 90_000)

  test('says that UDP does not get through when a firewall drops it, and that TCP does', async () => {
    const states = await statesOf(bad)
    expect(states, await bad.locator('textarea').inputValue()).toMatchObject({
      stun: 'failed',
      nat: 'skipped',
      'turn-udp': 'failed',
      'turn-tcp': 'passed',
    })
    expect(['passed', 'warning']).toContain(states.loop)
    expect(await verdictOf(bad)).toBe('failed')
    expect(await bad.getByTestId('step-turn-udp').innerText()).toMatch(/What to do: .*open UDP on the relay’s port/)
    expect(await bad.getByTestId('step-loop').innerText()).toContain('over tcp')
    expect(await bad.getByTestId('verdict').innerText()).toMatch(/failed \(STUN, TURN over UDP\)/)
  })

  test('gives a report to copy, with the log and without a secret', async () => {
    const step = good.getByTestId('step-turn-tcp')
    await step.locator('summary').click()
    expect(await step.innerText()).toMatch(/\d\.\d{3} s\s+candidate relay/)
    await good.getByTestId('copy-json').click()
    const json = JSON.parse(await good.evaluate(() => navigator.clipboard.readText()))
    expect(json).toMatchObject({ report: 'hairpin-connectivity', place: 'browser', origin: new URL(good.url()).origin })
    expect(json.steps.find(({ id }: { id: string }) => id === 'credentials').facts.hosts).toEqual(['127.0.0.1'])
    await good.getByTestId('copy-text').click()
    const text = await good.evaluate(() => navigator.clipboard.readText())
    expect(text).toMatch(/✓ passed {3}TURN over TCP: relayed address 127\.0\.0\.1:\d+/)
    // HMAC-SHA1 in base64: what every credential is.
    expect(text + JSON.stringify(json)).not.toMatch(/[\w+/]{27}=/)
  })

  test.each([
    ['light', 1000],
    ['dark', 390],
  ] as const)('is accessible and fits, %s and %i pixels wide', async (colorScheme, width) => {
    for (const [name, page] of Object.entries({ good, bad })) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 1400 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      expect(await violations(page, `check-${name}-${colorScheme}-${width}`)).toEqual([])
    }
  })

  test('says what to do when the server admits no guests and the token is none', async () => {
    await good.getByText('This server admits no guests?').click()
    await good.getByTestId('bearer').fill('a-token-of-nobody')
    await good.getByTestId('start').click()
    await until('the check is over', async () => ((await verdictOf(good)) === 'failed' ? true : undefined))
    expect(await good.getByTestId('step-credentials').innerText()).toContain('does not know this API key or token')
    expect(await good.getByTestId('step-loop').innerText()).toContain('Not tried, because “Credentials” failed')
    // The console tells of the 401 by itself, and of nothing else.
    expect(log.filter((line) => !line.includes('401'))).toEqual([])
  })
})
