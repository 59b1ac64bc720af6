import type { Browser, BrowserContext, Page, Worker } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { service, subscriber } from '../../services/signaling/test/push/support.ts'
import { launchBrowser } from '../helpers/browser.ts'
import { call, join, leave, talking } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import { type Standalone, startStandalone } from '../helpers/standalone.ts'

/**
 * The push service is a local one, since a browser in a test has none: the page's subscription is made up, the server's
 * push is decrypted as the browser would, and the browser is told to deliver it to the real service worker.
 */
describe.skipIf(!has('chromium'))('a closed page', () => {
  let stack: Standalone
  let browser: Browser
  let pushes: Awaited<ReturnType<typeof service>>

  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.stop()
  })

  it('is woken by a push, rings by a notification, and takes the call', async () => {
    pushes = await service(() => ({ status: 201 }))
    stack = await startStandalone({ env: { HAIRPIN_PUSH_ORIGINS: pushes.origin } })
    const { endpoint, decrypt } = subscriber(`${pushes.origin}/bob`)
    const context = await browser.newContext({ permissions: ['notifications'] })
    onTestFinished(() => context.close())
    await context.addInitScript((made) => {
      const subscription = {
        endpoint: made.address,
        options: { applicationServerKey: null },
        toJSON: () => ({ endpoint: made.address, keys: { p256dh: made.p256dh, auth: made.auth } }),
        unsubscribe: async () => true,
      }
      PushManager.prototype.getSubscription = async () => null
      PushManager.prototype.subscribe = async () => subscription as unknown as PushSubscription
    }, endpoint)

    const page = await visit(context, stack.url)
    await page.getByTestId('name-input').fill('bob')
    await page.getByTestId('join').click()
    await page.getByTestId('ring-closed').click()
    await page.locator('[data-testid=ring-closed]:is([aria-checked=true], :checked)').waitFor()
    const [worker] = context.serviceWorkers()
    if (!worker) throw new Error('no service worker')
    const deliver = await pusher(context, stack.url)

    const ann = await join(browser, stack.url, { name: 'ann' })
    await ann.page.getByTestId('user-bob').waitFor()
    await page.close()
    await ann.page.getByTestId('user-bob').waitFor({ state: 'detached' })
    await ann.page.getByTestId('absent-name').fill('bob')
    await ann.page.getByTestId('absent-call').click()
    await ann.page.locator('[data-testid=status][data-state=waking]').waitFor()

    await deliver(JSON.stringify(decrypt((await pushes.request(0)).body)))
    const [notification] = await notifications(worker)
    expect(notification?.title).toBe('ann is calling')

    const woken = await visit(context, new URL(notification?.url ?? '', stack.url).href)
    await woken.getByTestId('accept').click()
    const bob = { name: 'bob', page: woken, log: [] }
    await Promise.all([talking(ann, 10), talking(bob, 10)])
    await leave(ann)

    // Whoever comes too late learns of the call.
    await woken.getByTestId('leave').click()
    const carol = await join(browser, stack.url, { name: 'carol' })
    await carol.page.getByTestId('absent-name').fill('bob')
    await carol.page.getByTestId('absent-call').click()
    await carol.page.locator('[data-testid=status][data-state=waking]').waitFor()
    await carol.page.getByTestId('hangup').click()
    await woken.getByTestId('name-input').fill('bob')
    await woken.getByTestId('join').click()
    await woken
      .getByTestId('notice')
      .filter({ hasText: /^carol called at / })
      .waitFor()
    await call(carol, bob)
    await talking(bob, 1)
    await leave(carol)
  })
})

async function visit(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  return page
}

/** Delivers pushes to the service worker of a site, as the browser's push service would. */
async function pusher(context: BrowserContext, url: string): Promise<(data: string) => Promise<unknown>> {
  // The page that the session belongs to has to stay open; it is not one of the demo.
  const session = await context.newCDPSession(await visit(context, 'about:blank'))
  let registrationId: string | undefined
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registrationId = registrations.find(({ scopeURL }) => scopeURL.startsWith(url))?.registrationId ?? registrationId
  })
  await session.send('ServiceWorker.enable')
  const id = await until('the service worker is registered', async () => registrationId)
  return (data) =>
    session.send('ServiceWorker.deliverPushMessage', { origin: new URL(url).origin, registrationId: id, data })
}

function notifications(worker: Worker): Promise<{ title: string; url: string }[]> {
  return until('a notification', async () => {
    const shown = await worker.evaluate(async () => {
      const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration }
      const list = await registration.getNotifications()
      return list.map(({ title, data }) => ({ title, url: String(data.url) }))
    })
    return shown.length > 0 ? shown : undefined
  })
}
