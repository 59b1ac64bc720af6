import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, launchBrowser } from '../helpers/browser.ts'
import { call, callFacts, type Guest, type GuestOptions, iceHistory, join, leave, talking } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import { at, state } from '../helpers/demo.ts'
import { type Internet, makeInternet } from '../helpers/netns.ts'
import { metric, type Standalone, startStandalone } from '../helpers/standalone.ts'

describe.skipIf(!has('chromium', 'netns'))('two people behind symmetric NATs', () => {
  let internet: Internet
  let stack: Standalone
  const browsers: Browser[] = []

  beforeAll(async () => {
    internet = await makeInternet()
    // No HAIRPIN_EXTERNAL_IP: the stack finds its public address by itself, as on a bare VPS.
    stack = await startStandalone({
      host: internet.serverAddress,
      prefix: internet.on('server'),
      env: { HAIRPIN_EXTERNAL_IP: '' },
    })
    for (const host of ['alice', 'bob'] as const) {
      const executable = await internet.programOn(host, chromiumPath)
      browsers.push(await launchBrowser({ executable, insecureOrigin: new URL(stack.url).origin }))
    }
  })

  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()))
    await stack?.stop()
    await internet?.remove()
  })

  async function meet(options: Omit<GuestOptions, 'name'>): Promise<[Guest, Guest]> {
    const [alice, bob] = browsers as [Browser, Browser]
    const guests: [Guest, Guest] = [
      await join(alice, stack.url, { name: 'alice', ...options }),
      await join(bob, stack.url, { name: 'bob', ...options }),
    ]
    await call(...guests)
    return guests
  }

  test('cannot reach each other without a relay', async () => {
    const guests = await meet({ withoutRelay: true })
    for (const guest of guests) {
      await guest.page.getByTestId('hangup').waitFor({ state: 'detached', timeout: 60_000 })
      expect(await at(guest, 'check-link').getAttribute('href')).toBe('/check')
      const ice = await iceHistory(guest)
      // Both learned their outside addresses, so that it is the translation that keeps them apart.
      expect(ice.candidates).toContain('srflx')
      expect(ice.candidates).not.toContain('relay')
      expect(ice.states).toContain('checking')
      expect(ice.states).not.toContain('connected')
    }
    await leave(...guests)
  })

  test('talk through the relay, which carries every byte, and go on when the network of one changes', async () => {
    const guests = await meet({})
    for (const guest of guests) {
      const { pair } = await talking(guest)
      // Nobody asked for relay only: direct paths were tried and lost.
      expect([pair.local, pair.remote]).toContain('relay')
    }
    const facts = await callFacts(guests[0])
    const relayed = metric(await stack.metrics(), 'hairpin_relay_bytes_total')
    expect(relayed).toBeGreaterThan(facts?.bytesSent ?? Number.POSITIVE_INFINITY)

    const [alice] = guests
    const before = (await iceHistory(alice)).candidates.length
    await internet.move('alice')
    await state(alice, 'reconnecting')
    await Promise.all(guests.map((guest) => state(guest, 'connected')))
    for (const guest of guests) await talking(guest, ((await callFacts(guest))?.framesDecoded ?? 0) + 30)
    // By an ICE restart, which gathers anew.
    expect((await iceHistory(alice)).candidates.slice(before)).toContain('relay')
    await leave(...guests)
  })
})
