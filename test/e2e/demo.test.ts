import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../helpers/browser.ts'
import { call, callFacts, carriedBy, type Guest, hangUp, join, leave, talking } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import { type Standalone, startStandalone } from '../helpers/standalone.ts'

describe.skipIf(!has('chromium'))('the demo page', () => {
  let stack: Standalone
  let browser: Browser
  const open: Guest[] = []

  beforeAll(async () => {
    stack = await startStandalone()
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.stop()
  })
  afterEach(async () => {
    await leave(...open.splice(0))
  })

  /** Two people in the lobby who see each other. */
  async function pair(relayOnly = false): Promise<[Guest, Guest]> {
    const ann = await join(browser, stack.url, { name: 'ann', relayOnly })
    open.push(ann)
    const bob = await join(browser, stack.url, { name: 'bob', relayOnly })
    open.push(bob)
    await at(ann, 'call-bob').waitFor()
    return [ann, bob]
  }

  it('connects an accepted call, shows both pictures and says which path carries it', async () => {
    const [ann, bob] = await pair()
    await call(ann, bob)
    await Promise.all([talking(ann), talking(bob)])
    for (const guest of [ann, bob]) {
      await state(guest, 'connected')
      await eventually(
        guest,
        'pair-line',
        /^Direct \(host\) UDP in \d+ kbit\/s out \d+ kbit\/s round trip (< 1|\d+) ms$/,
      )
      expect(await pictures(guest)).toEqual({ local: true, remote: true })
      expect(problems(guest)).toEqual([])
    }
  })

  it('carries a relay-only call over the relay, and says so on both sides', async () => {
    const [ann, bob] = await pair(true)
    await call(ann, bob)
    for (const guest of [ann, bob]) {
      await carriedBy(guest, { local: 'relay', remote: 'relay', relayProtocol: 'udp' })
      await eventually(guest, 'pair-line', /^Relayed \(relay\) UDP in \d+ kbit\/s/)
    }
  })

  it('tells the caller of a decline and leaves nothing open', async () => {
    const [ann, bob] = await pair()
    await at(ann, 'call-bob').click()
    await at(bob, 'decline').click()
    await eventually(ann, 'notice', /^bob declined\.$/)
    await Promise.all([state(ann, 'joined'), state(bob, 'joined')])
    expect(await callFacts(ann)).toBeUndefined()
    expect(await at(bob, 'incoming').count()).toBe(0)
  })

  it('stops ringing when the caller gives up', async () => {
    const [ann, bob] = await pair()
    await at(ann, 'call-bob').click()
    await at(bob, 'incoming').waitFor()
    await hangUp(ann)
    await at(bob, 'incoming').waitFor({ state: 'detached' })
    await eventually(bob, 'notice', /^ann called and gave up\.$/)
  })

  it.each(['caller', 'callee'])('ends on both sides when the %s hangs up, and the next call works', async (who) => {
    const [ann, bob] = await pair()
    await call(ann, bob)
    await Promise.all([talking(ann, 1), talking(bob, 1)])
    const [leaver, stayer] = who === 'caller' ? [ann, bob] : [bob, ann]
    await hangUp(leaver)
    await eventually(stayer, 'notice', new RegExp(`^${leaver.name} hung up\\.$`))
    await Promise.all([state(ann, 'joined'), state(bob, 'joined')])
    await call(ann, bob)
    await Promise.all([talking(ann, 1), talking(bob, 1)])
  })

  it('mutes the microphone and turns the camera off in what is sent', async () => {
    const [ann, bob] = await pair()
    await call(ann, bob)
    await talking(bob, 1)
    for (const [button, kind] of [
      ['mute', 'audio'],
      ['camera', 'video'],
    ] as const) {
      expect(await sending(ann, kind)).toBe(true)
      await at(ann, button).click()
      expect(await at(ann, button).getAttribute('aria-pressed')).toBe('true')
      expect(await sending(ann, kind)).toBe(false)
      await eventually(bob, 'remote-label', kind === 'audio' ? /^muted$/ : /^camera off$/)
      await at(ann, button).click()
      expect(await sending(ann, kind)).toBe(true)
      await at(bob, 'remote-label').waitFor({ state: 'detached' })
    }
  })

  it('carries texts beside a call, another microphone, and a screen in place of the camera', async () => {
    const [ann, bob] = await pair()
    await ann.page.evaluate(() => {
      // Nobody is there to choose a screen.
      navigator.mediaDevices.getDisplayMedia = async () => {
        const canvas = document.createElement('canvas')
        canvas.getContext('2d')?.fillRect(0, 0, 1, 1)
        return canvas.captureStream(5)
      }
    })
    await call(ann, bob)
    await Promise.all([talking(ann, 1), talking(bob, 1)])
    await at(ann, 'chat-input').fill('hello <b>bob</b>')
    await at(ann, 'chat-send').click()
    await eventually(bob, 'chat-log', /^ann hello ‹b>bob‹\/b>$/)
    await eventually(ann, 'chat-log', /^You hello/)

    const before = await sent(ann, 'audio')
    const other = await at(ann, 'pick-audio').locator('option').last().getAttribute('value')
    await at(ann, 'pick-audio').selectOption(other)
    await until('another microphone', async () => (await sent(ann, 'audio')) !== before || undefined)
    expect(await sent(ann, 'audio')).toBe(other)

    const camera = await sent(ann, 'video')
    await at(ann, 'screen').click()
    await until('the screen', async () => (await sent(ann, 'video')) !== camera || undefined)
    await at(ann, 'screen').click()
    await until('the camera', async () => (await sent(ann, 'video')) === camera || undefined)
    await state(bob, 'connected')
  })

  it('connects two who call each other at once', async () => {
    const [ann, bob] = await pair()
    await Promise.all([at(ann, 'call-bob').click(), at(bob, 'call-ann').click()])
    // Whether the offers cross on the wire or one camera is slower, nobody has to accept what both wanted.
    await Promise.all([talking(ann, 1), talking(bob, 1)])
  })

  it('can be used by keyboard alone', async () => {
    const ann = await openPage()
    const bob = await join(browser, stack.url, { name: 'bob' })
    open.push(bob)
    const { keyboard } = ann.page
    await keyboard.type('ann')
    await keyboard.press('Enter')
    await at(ann, 'call-bob').waitFor()
    await tabTo(ann.page, 'call-bob')
    await keyboard.press('Enter')
    await at(bob, 'incoming').waitFor()
    await bob.page.keyboard.press('Escape')
    await eventually(ann, 'notice', /declined/)

    await tabTo(ann.page, 'call-bob')
    await keyboard.press('Enter')
    await at(bob, 'incoming').waitFor()
    expect(await focused(bob.page)).toBe('accept')
    await bob.page.keyboard.press('Enter')
    await talking(ann, 1)
    await tabTo(ann.page, 'mute')
    expect(await outlined(ann.page)).toBe(true)
    await keyboard.press('Space')
    expect(await sending(ann, 'audio')).toBe(false)
    await tabTo(ann.page, 'hangup')
    await keyboard.press('Enter')
    await state(ann, 'joined')
    expect(await ann.page.evaluate(() => document.activeElement?.id)).toBe('people')
  })

  it('fits a phone of 360 pixels in every state, with a name on every control', async () => {
    const longName = 'Maximiliane-von-und-zu-Hohenfels-Langenburg'
    const ann = await openPage({ width: 360, height: 640 })
    await fits(ann.page)
    await at(ann, 'name-input').fill(longName)
    await at(ann, 'join').click()
    const bob = await join(browser, stack.url, { name: 'bob' })
    open.push(bob)
    await at(ann, 'call-bob').waitFor()
    await fits(ann.page)
    await at(bob, `call-${longName}`).click()
    await at(ann, 'incoming').waitFor()
    await fits(ann.page)
    await at(ann, 'accept').click()
    await talking({ ...ann, name: 'ann' }, 1)
    await eventually(ann, 'pair-line', /round trip/)
    await fits(ann.page)
    const box = await at(ann, 'hangup').boundingBox()
    expect((box?.y ?? Number.NaN) + (box?.height ?? 0)).toBeLessThanOrEqual(640)
  })

  it('goes on without a camera when the user refuses it, and still shows the other side', async () => {
    const bob = await join(browser, stack.url, { name: 'bob' })
    open.push(bob)
    const ann = await openPage({}, () => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
    })
    await at(ann, 'name-input').fill('ann')
    await at(ann, 'join').click()
    await at(ann, 'call-bob').click()
    await eventually(ann, 'media-problem', /blocked for this page/)
    await at(ann, 'media-without').click()
    await at(bob, 'accept').click()
    await talking(ann, 1)
    await state(bob, 'connected')
    await eventually(bob, 'remote-label', /^camera off · muted$/)
    expect(await at(ann, 'mute').isDisabled()).toBe(true)
    expect((await callFacts(bob))?.framesDecoded).toBe(0)
  })

  it('says on plain HTTP that HTTPS is needed, and joins without a camera', async () => {
    const ann = await openPage({}, () => {
      Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined })
    })
    await eventually(ann, 'insecure', /HTTPS or localhost/)
    expect(await at(ann, 'join').textContent()).toBe('Join without camera')
    await at(ann, 'name-input').fill('ann')
    await at(ann, 'join').click()
    await state(ann, 'joined')
  })

  it.each(['bob', 'ann'])('carries a call over a loss of the server; afterwards %s hangs up', async (who) => {
    const sockets: { drop: () => Promise<unknown> }[] = []
    let blocked = false
    const ann = await openPage({}, undefined, async (page) => {
      await page.routeWebSocket(/\/ws$/, (socket) => {
        if (blocked) return void socket.close()
        const server = socket.connectToServer()
        sockets.push({ drop: () => Promise.all([socket.close({ code: 4000 }), server.close({ code: 4000 })]) })
      })
    })
    await at(ann, 'name-input').fill('ann')
    await at(ann, 'join').click()
    const bob = await join(browser, stack.url, { name: 'bob' })
    open.push(bob)
    await call(ann, bob)
    await Promise.all([talking(ann, 1), talking(bob, 1)])
    blocked = true
    await sockets[0]?.drop()
    await state(ann, 'server-lost')
    const frames = (await talking(bob)).framesDecoded
    await talking(bob, frames + 60)
    await state(bob, 'connected')
    expect(await at(bob, 'notice').count()).toBe(0)
    blocked = false
    await state(ann, 'connected')
    expect(sockets).toHaveLength(2)

    const fragments = await Promise.all([remoteFragment(ann), remoteFragment(bob)])
    await ann.page.evaluate(() => window.hairpin.peerConnection?.restartIce())
    await until('both sides agreed on an ICE restart', async () => {
      const now = await Promise.all([remoteFragment(ann), remoteFragment(bob)])
      return (now[0] !== fragments[0] && now[1] !== fragments[1]) || undefined
    })
    await talking(bob, (await talking(bob)).framesDecoded + 10)

    const [leaver, stayer] = who === 'bob' ? [bob, ann] : [ann, bob]
    await hangUp(leaver)
    const since = Date.now()
    await eventually(stayer, 'notice', new RegExp(`^${leaver.name} hung up\\.$`))
    expect(Date.now() - since).toBeLessThan(2_000)
    await Promise.all([state(ann, 'joined'), state(bob, 'joined')])
    // A page that is killed behind a routed socket says no goodbye: its name would stay taken for the time of grace.
    await at(ann, 'leave').click()
    await at(bob, 'call-ann').waitFor({ state: 'detached' })
  })

  /** The page before anybody joins. */
  async function openPage(
    viewport: { width?: number; height?: number } = {},
    before?: () => void,
    prepare?: (page: Page) => Promise<void>,
  ): Promise<Guest> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800, ...viewport } })
    const page = await context.newPage()
    const log: string[] = []
    page.on('pageerror', (error) => log.push(`uncaught: ${error.message}`))
    await page.addInitScript(() => Object.defineProperty(window, 'hairpinTest', { value: { iceStates: [] } }))
    if (before) await page.addInitScript(before)
    await prepare?.(page)
    await page.goto(stack.url)
    const guest = { name: 'ann', page, log }
    open.push(guest)
    return guest
  }
})

function at(guest: Guest, testId: string) {
  return guest.page.getByTestId(testId)
}

/** Waits until the status says so: a state of the call, or `joined`. */
async function state(guest: Guest, wanted: string): Promise<void> {
  await guest.page.locator(`[data-testid=status][data-state=${wanted}]`).waitFor()
}

async function eventually(guest: Guest, testId: string, text: RegExp): Promise<void> {
  await guest.page.getByTestId(testId).filter({ hasText: text }).waitFor()
}

function problems(guest: Guest): string[] {
  return guest.log.filter((line) => /^(error|uncaught)/.test(line))
}

/** Whether each video element shows pictures. */
function pictures(guest: Guest): Promise<{ local: boolean; remote: boolean }> {
  return guest.page.evaluate(() => {
    const shows = (id: string) => (document.querySelector<HTMLVideoElement>(`[data-testid=${id}]`)?.videoWidth ?? 0) > 0
    return { local: shows('local-video'), remote: shows('remote-video') }
  })
}

function sending(guest: Guest, kind: string): Promise<boolean> {
  return guest.page.evaluate(
    (wanted) =>
      window.hairpin.peerConnection?.getSenders().some(({ track }) => track?.kind === wanted && track.enabled) ?? false,
    kind,
  )
}

/** The device that the sent track of a kind comes from. */
function sent(guest: Guest, kind: string): Promise<string | undefined> {
  return guest.page.evaluate(
    (wanted) =>
      window.hairpin.peerConnection
        ?.getSenders()
        .find(({ track }) => track?.kind === wanted)
        ?.track?.getSettings().deviceId,
    kind,
  )
}

/** What names the other side's present ICE session. */
function remoteFragment(guest: Guest): Promise<string | undefined> {
  return guest.page.evaluate(
    () => /a=ice-ufrag:(\S+)/.exec(window.hairpin.peerConnection?.remoteDescription?.sdp ?? '')?.[1],
  )
}

async function fits(page: Page): Promise<void> {
  const facts = await page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - innerWidth,
    outside: [...document.querySelectorAll('button, input, p, h1, h2')]
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect()
        return width > 0 && (left < 0 || right > innerWidth)
      })
      .map((element) => element.textContent),
    nameless: [...document.querySelectorAll('button')].filter(
      (button) => !button.textContent?.trim() && !button.getAttribute('aria-label'),
    ).length,
  }))
  expect(facts).toEqual({ overflow: 0, outside: [], nameless: 0 })
}

function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.testid)
}

function outlined(page: Page): Promise<boolean> {
  return page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle !== 'none')
}

async function tabTo(page: Page, testId: string): Promise<void> {
  for (let press = 0; press < 15; press++) {
    if ((await focused(page)) === testId) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`no way to ${testId} by Tab`)
}
