import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type Guest, type GuestOptions, join, leave } from './call.ts'
import { type Standalone, type StandaloneOptions, startStandalone } from './standalone.ts'

/** What the tests of one suite play on: a stack and a browser, and guests who leave after each test. */
export interface Stage {
  readonly stack: Standalone
  readonly browser: Browser
  /** Somebody on the demo page until the end of the test; `url`: by another way than the stack's own address. */
  enter(options: GuestOptions & { readonly url?: string }): Promise<Guest>
  /** Two people in the lobby who see each other. */
  pair(options?: Omit<GuestOptions, 'name'>): Promise<[Guest, Guest]>
  /** Has somebody who came by another way leave after the test. */
  seeOff(guest: Guest): void
  /** A context of its own, closed after the test. */
  context(...options: Parameters<Browser['newContext']>): Promise<BrowserContext>
}

/** Sets the stage for the suite that calls it. `options` are asked before the stack starts. */
export function useStage(options: () => StandaloneOptions | Promise<StandaloneOptions> = () => ({})): Stage {
  let stack: Standalone
  let browser: Browser
  const guests: Guest[] = []
  const contexts: BrowserContext[] = []

  beforeAll(async () => {
    stack = await startStandalone(await options())
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.stop()
  })
  afterEach(async () => {
    await leave(...guests.splice(0))
    await Promise.all(contexts.splice(0).map((context) => context.close()))
  })

  const stage: Stage = {
    get stack() {
      return stack
    },
    get browser() {
      return browser
    },
    async enter({ url = stack.url, ...guest }) {
      const entered = await join(browser, url, guest)
      guests.push(entered)
      return entered
    },
    async pair(both) {
      const ann = await stage.enter({ name: 'ann', ...both })
      const bob = await stage.enter({ name: 'bob', ...both })
      await ann.page.getByTestId('call-bob').waitFor()
      return [ann, bob]
    },
    seeOff: (guest) => void guests.push(guest),
    async context(...contextOptions) {
      const context = await browser.newContext(...contextOptions)
      contexts.push(context)
      return context
    },
  }
  return stage
}
