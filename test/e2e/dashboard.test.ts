/** The operator's dashboard in Chromium, with the figures of a real call. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser } from '../helpers/browser.ts'
import { call, fallSilent, type Guest, hangUp, join, leave, talking } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import { violations } from '../helpers/looks.ts'
import { type Standalone, startStandalone } from '../helpers/standalone.ts'

describe.skipIf(!has('chromium'))('the dashboard', () => {
  let stack: Standalone
  let browser: Browser
  let page: Page
  let alice: Guest
  let bob: Guest
  const log: string[] = []

  const textOf = (testId: string) => page.getByTestId(testId).innerText()

  beforeAll(async () => {
    stack = await startStandalone({
      env: {
        HAIRPIN_PRICES: '100 EUR/GB',
        HAIRPIN_BUDGETS: 'demo monthly 1 GB: 80% webhook, 100% refuse; demo daily 0.001 EUR: 100% throttle:5000000',
      },
    })
    browser = await launchBrowser()
    alice = await join(browser, stack.url, { name: 'alice', relayOnly: true })
    bob = await join(browser, stack.url, { name: 'bob', relayOnly: true })
    page = await (await browser.newContext({ viewport: { width: 1280, height: 1400 } })).newPage()
    page.on('console', (message) => log.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => log.push(`uncaught: ${error.message}`))
  })

  afterAll(async () => {
    await browser?.close()
    await stack?.stop()
  })

  test('shows a call while it runs: bandwidth, allocations, cost, app, users and budgets', async () => {
    await call(alice, bob)
    await talking(alice)
    await page.goto(`${stack.adminUrl}/dashboard`)
    await until('the call is on the dashboard', async () => {
      // One for each of its ways to the relay.
      expect(Number((await textOf('tile-allocations')).match(/\d+/)?.[0])).toBeGreaterThanOrEqual(2)
      expect(await textOf('tile-bandwidth')).toMatch(/[kM]bit\/s/)
      expect(await textOf('tile-month')).toMatch(/€0\.\d*[1-9]/)
      expect(await textOf('tile-forecast')).toMatch(/€/)
      return true
    })
    expect(await textOf('apps')).toMatch(/demo\s+€/)
    await until(
      'the users are on the dashboard',
      async () => {
        expect(await textOf('users')).toMatch(/demo\//)
        return true
      },
      40,
    )
    expect(await textOf('providers')).toContain('Cloudflare')
    expect(await page.getByTestId('budget-demo').allInnerTexts()).toEqual([
      expect.stringMatching(/^demo\s+[\d.]+ % of 1\.00 GB a month/),
      expect.stringMatching(/of €0\.0010 a day\s+Each allocation is held to 5\.00 MB a second\./),
    ])
    await until(
      'both charts are drawn',
      async () => (await page.locator('.chart canvas').count()) === 2 || undefined,
      40,
    )
  }, 90_000)

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('is accessible and fits, %s and %i pixels wide', async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 1400 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    expect(await violations(page, `dashboard-${colorScheme}-${width}`)).toEqual([])
  })

  test("agrees with what the callers' page says that the call costs", async () => {
    await fallSilent(alice, bob)
    await until('both say the same', async () => {
      const line = alice.page.getByTestId('cost-line')
      expect(await line.innerText()).toMatch(/^relay cost\s+€0\.\d+\s+an hour\s+€/)
      const onPage = Number(await line.getAttribute('data-cost'))
      const answer = await fetch(`${stack.adminUrl}/dashboard/now`)
      const { cost } = (await answer.json()) as { cost: { month: string } }
      expect(Math.abs(onPage - Number(cost.month)) / onPage, `${onPage} and ${cost.month}`).toBeLessThan(0.05)
      return true
    })
    await hangUp(alice)
    await leave(alice, bob)
  })

  test('says so when the relay is gone, and asked nobody else', async () => {
    expect(log).toEqual([])
    await stack.stop()
    await page.getByText('The relay does not answer').waitFor({ timeout: 20_000 })
  })
})
