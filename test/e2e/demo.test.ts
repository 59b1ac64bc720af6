import { beforeAll, describe, expect, it } from 'vitest'
import { call, callFacts, carriedBy, type Guest, hangUp, join, leave, talking } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import {
  at,
  eventually,
  focused,
  layout,
  outlined,
  pictures,
  problems,
  remoteFragment,
  say,
  sending,
  sent,
  state,
  tabTo,
} from '../helpers/demo.ts'
import { sleep, until } from '../helpers/exec.ts'
import { gateTo } from '../helpers/gate.ts'
import { violations } from '../helpers/looks.ts'
import { useStage } from '../helpers/stage.ts'

describe.skipIf(!has('chromium'))('the demo page', () => {
  const stage = useStage()
  let caller: Guest
  let called: Guest

  // A call that nobody answers rings for a minute: this one while the other tests run.
  beforeAll(async () => {
    const { browser, stack } = stage
    caller = await join(browser, stack.url, { name: 'carol' })
    called = await join(browser, stack.url, { name: 'dave' })
    await at(caller, 'call-audio-dave').click()
    await at(called, 'incoming').waitFor()
  })

  it('loads from its own origin alone, under a strict policy, and says nothing on the console', async () => {
    const page = await (await stage.context()).newPage()
    const requests: string[] = []
    const said: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', (error) => said.push(error.message))
    const response = await page.goto(stage.stack.url, { waitUntil: 'networkidle' })
    const policy = (await response?.allHeaders())?.['content-security-policy']
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toContain('unsafe')
    expect(new Set(requests.map((url) => new URL(url).origin))).toEqual(new Set([new URL(stage.stack.url).origin]))
    // Page, script, style; browsers that show them get icon and manifest too.
    expect(requests.length).toBeGreaterThanOrEqual(3)
    expect(requests.length).toBeLessThanOrEqual(5)
    expect(said).toEqual([])
  })

  it('connects an accepted call, shows both pictures and says which path carries it', async () => {
    const [ann, bob] = await stage.pair()
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
    const [ann, bob] = await stage.pair({ relayOnly: true })
    await call(ann, bob)
    for (const guest of [ann, bob]) {
      await carriedBy(guest, { local: 'relay', remote: 'relay', relayProtocol: 'udp' })
      await eventually(guest, 'pair-line', /^Relayed \(relay\) UDP in \d+ kbit\/s/)
    }
  })

  it('tells the caller of a decline and leaves nothing open', async () => {
    const [ann, bob] = await stage.pair()
    await at(ann, 'call-bob').click()
    await at(bob, 'decline').click()
    await eventually(ann, 'notice', /^bob declined\.$/)
    await Promise.all([state(ann, 'joined'), state(bob, 'joined')])
    expect(await callFacts(ann)).toBeUndefined()
    expect(await at(bob, 'incoming').count()).toBe(0)
  })

  it('stops ringing when the caller gives up', async () => {
    const [ann, bob] = await stage.pair()
    await at(ann, 'call-bob').click()
    await at(bob, 'incoming').waitFor()
    await hangUp(ann)
    await at(bob, 'incoming').waitFor({ state: 'detached' })
    await eventually(bob, 'notice', /^ann called and gave up\.$/)
  })

  it.each(['caller', 'callee'])('ends on both sides when the %s hangs up, and the next call works', async (who) => {
    const [ann, bob] = await stage.pair()
    await call(ann, bob)
    await Promise.all([talking(ann, 1), talking(bob, 1)])
    const [leaver, stayer] = who === 'caller' ? [ann, bob] : [bob, ann]
    await hangUp(leaver)
    await eventually(stayer, 'notice', new RegExp(`^${leaver.name} hung up\\.$`))
    await Promise.all([state(ann, 'joined'), state(bob, 'joined')])
    await call(ann, bob)
    await Promise.all([talking(ann, 1), talking(bob, 1)])
  })

  it('is taken or begun without a camera, which is turned on later', async () => {
    const [ann, bob] = await stage.pair()
    await at(ann, 'call-bob').click()
    await at(bob, 'accept-audio').click()
    await Promise.all([talking(bob, 1), eventually(ann, 'remote-label', /^camera off$/)])
    expect(await sending(bob, 'audio')).toBe(true)
    expect(await sending(bob, 'video')).toBe(false)
    await at(bob, 'camera').click()
    await talking(ann, 1)
    await at(ann, 'remote-label').waitFor({ state: 'detached' })
    await hangUp(ann)
    await Promise.all([state(ann, 'joined'), state(bob, 'joined')])

    await at(ann, 'call-audio-bob').click()
    await eventually(bob, 'incoming', /without camera/)
    await at(bob, 'accept').click()
    await Promise.all([state(ann, 'connected'), state(bob, 'connected')])
    for (const guest of [ann, bob]) {
      expect(await sending(guest, 'audio')).toBe(true)
      expect(await sending(guest, 'video')).toBe(false)
    }
    await at(ann, 'camera').click()
    await talking(bob, 1)
  })

  it('mutes the microphone and turns the camera off in what is sent', async () => {
    const [ann, bob] = await stage.pair()
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
    const [ann, bob] = await stage.pair()
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
    await say(ann, 'hello <b>bob</b>')
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
    const [ann, bob] = await stage.pair()
    await Promise.all([at(ann, 'call-bob').click(), at(bob, 'call-ann').click()])
    // Whether the offers cross on the wire or one camera is slower, nobody has to accept what both wanted.
    await Promise.all([talking(ann, 1), talking(bob, 1)])
  })

  it('can be used by keyboard alone', async () => {
    const ann = await openPage()
    const bob = await stage.enter({ name: 'bob' })
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
    await ann.page.locator('#people:focus').waitFor()
  })

  it.each([
    ['a phone of 360 pixels', 'light', { width: 360, height: 640 }],
    ['a desktop', 'dark', {}],
  ] as const)('fits %s in every state, accessible, %s', async (screen, colorScheme, viewport) => {
    const longName = 'Maximiliane-von-und-zu-Hohenfels-Langenburg'
    const ann = await openPage(viewport)
    await ann.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const looks = async (state: string) => {
      expect(await layout(ann.page)).toEqual(fitting)
      expect(await violations(ann.page, `demo-${screen.split(' ')[1]}-${state}`)).toEqual([])
    }
    await looks('join')
    await at(ann, 'name-input').fill(longName)
    await at(ann, 'join').click()
    const bob = await stage.enter({ name: 'bob' })
    await at(ann, 'call-bob').waitFor()
    await looks('lobby')
    await at(bob, `call-${longName}`).click()
    await at(ann, 'incoming').waitFor()
    await looks('incoming')
    await at(ann, 'accept').click()
    await talking({ ...ann, name: 'ann' }, 1)
    await eventually(ann, 'pair-line', /round trip/)
    await looks('call')
    const box = await at(ann, 'hangup').boundingBox()
    expect((box?.y ?? Number.NaN) + (box?.height ?? 0)).toBeLessThanOrEqual(ann.page.viewportSize()?.height ?? 0)
  })

  it('goes on without a camera when the user refuses it, and still shows the other side', async () => {
    const bob = await stage.enter({ name: 'bob' })
    const ann = await openPage({}, () => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
    })
    await at(ann, 'name-input').fill('ann')
    await at(ann, 'join').click()
    await at(ann, 'call-bob').click()
    await eventually(ann, 'media-problem', /blocked for this page/)
    await at(ann, 'media-without').click()
    await at(bob, 'accept-video').click()
    await talking(ann, 1)
    await state(bob, 'connected')
    await eventually(bob, 'remote-label', /^camera off · muted$/)
    expect(await at(ann, 'mute').isDisabled()).toBe(true)
    expect((await callFacts(bob))?.framesDecoded).toBe(0)
    await at(ann, 'camera').click()
    await eventually(ann, 'notice', /blocked for this page/)
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

  it.each([
    ['bob', 10_000],
    ['ann', 0],
  ])('carries a call over a loss of the server; afterwards %s hangs up', async (who, pause) => {
    const gate = await gateTo(Number(new URL(stage.stack.url).port))
    const ann = await stage.enter({ name: 'ann', url: `http://${gate.host}/` })
    const bob = await stage.enter({ name: 'bob' })
    await call(ann, bob)
    await Promise.all([talking(ann, 1), talking(bob, 1)])
    await say(ann, 'before')
    await eventually(bob, 'chat-log', /before/)
    gate.cut()
    await state(ann, 'server-lost')
    for (const [index, guest] of [ann, bob, ann, bob].entries()) await say(guest, `${guest.name} ${index}`)
    const seen = (await talking(bob)).framesDecoded
    await sleep(pause)
    await Promise.all([talking(bob, seen + 60), talking(ann, seen + 60)])
    await state(bob, 'connected')
    expect(await at(bob, 'notice').count()).toBe(0)
    gate.open()
    // As the browser says when its network is back; else the next attempt may be some seconds off.
    await ann.page.evaluate(() => dispatchEvent(new Event('online')))
    await state(ann, 'connected')
    await say(ann, 'after')
    for (const guest of [ann, bob]) {
      await eventually(guest, 'chat-log', /after$/)
      // What Bob said was there first: Ann's waited for the server.
      const lines = (await at(guest, 'chat-log').innerText()).match(/before|(ann|bob) \d|after/g)
      expect(lines).toEqual(['before', 'bob 1', 'bob 3', 'ann 0', 'ann 2', 'after'])
    }

    const fragments = await Promise.all([remoteFragment(ann), remoteFragment(bob)])
    await ann.page.evaluate(() => window.hairpin.peerConnection?.restartIce())
    await until('both sides agreed on an ICE restart', async () => {
      const now = await Promise.all([remoteFragment(ann), remoteFragment(bob)])
      return (now[0] !== fragments[0] && now[1] !== fragments[1]) || undefined
    })
    await talking(bob, (await talking(bob)).framesDecoded + 10)

    const [leaver, stayer] = who === 'bob' ? [bob, ann] : [ann, bob]
    await hangUp(leaver)
    await eventually(stayer, 'notice', new RegExp(`^${leaver.name} hung up\\.$`))
    await Promise.all([state(ann, 'joined'), state(bob, 'joined')])
  })

  it('ends a call that nobody answered for a minute, and tells both sides', async () => {
    await eventually(caller, 'notice', /^dave did not answer\.$/, 70_000)
    await eventually(called, 'notice', /^You missed carol’s call\.$/)
    await Promise.all([state(caller, 'joined'), state(called, 'joined')])
    await leave(caller, called)
  })

  /** The page before anybody joins. */
  async function openPage(viewport: { width?: number; height?: number } = {}, before?: () => void): Promise<Guest> {
    const context = await stage.browser.newContext({ viewport: { width: 1280, height: 800, ...viewport } })
    const page = await context.newPage()
    const log: string[] = []
    page.on('pageerror', (error) => log.push(`uncaught: ${error.message}`))
    await page.addInitScript(() => Object.defineProperty(window, 'hairpinTest', { value: { iceStates: [] } }))
    if (before) await page.addInitScript(before)
    await page.goto(stage.stack.url)
    const guest = { name: 'ann', page, log }
    stage.seeOff(guest)
    return guest
  }
})

const fitting = { overflow: 0, outside: [], nameless: 0 }
