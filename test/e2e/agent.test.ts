/** Customers' calls on the agents' page: the whole stack, WhatsApp simulated, sound measured on both sides. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Phone, type SimulatedCall, until as soon } from '@hairpin/whatsapp-simulator'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type AgentPage, hearsTone, joinAgent, opusTone, phoneHears, play, ready, speech } from '../helpers/agent.ts'
import { launchBrowser } from '../helpers/browser.ts'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import type { Standalone } from '../helpers/standalone.ts'
import { agentToken, customerCalls, type Meta, startMeta, startWhatsapp } from '../helpers/whatsapp.ts'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Folder for screenshots, when somebody wants to look. */
const screenshots = process.env.HAIRPIN_TEST_SCREENSHOTS

const maria = '4915155512345'
const noor = '4915155567890'

/** The next call of the business. */
const businessCall = ({ simulator }: Meta) =>
  new Promise<SimulatedCall>((resolve) => {
    simulator.on((event) => {
      if (event.type === 'business-calls') resolve(event.call)
    })
  })

const shows = (page: Page, testId: string, text: string | RegExp) =>
  page.getByTestId(testId).filter({ hasText: text }).first().waitFor()
const clickOn = (page: Page, ...testIds: string[]) =>
  testIds.reduce((before, testId) => before.then(() => page.getByTestId(testId).click()), Promise.resolve())
const accept = ({ page }: AgentPage) => page.getByTestId('accept').click()

describe.skipIf(!has('chromium'))('an agent in the browser', () => {
  let meta: Meta
  let stack: Standalone
  let browser: Browser
  let ann: AgentPage
  let tone: Buffer[]
  const closing: (() => unknown)[] = []

  beforeAll(async () => {
    meta = await startMeta()
    stack = await startWhatsapp(meta)
    browser = await launchBrowser()
    ann = await joinAgent(browser, stack.url, 'ann')
    tone = await opusTone(ann, 1000)
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.stop()
    await meta?.close()
  })
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  /** Maria's phone calls, and plays 1000 Hz into whatever it is connected to. */
  async function rings(number = maria, name = 'Maria'): Promise<{ call: SimulatedCall; phone: Phone }> {
    const { call, phone } = await customerCalls(meta, number, name)
    closing.push(
      () => meta.simulator.ends(call),
      () => phone.close(),
      play(phone, tone),
    )
    return { call, phone }
  }

  /** As it is now, in both colour schemes, on a desk and on a phone. */
  async function inspect(page: Page, name: string): Promise<void> {
    for (const [colorScheme, width] of [
      ['light', 1100],
      ['dark', 390],
    ] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 900 })
      if (screenshots) await page.screenshot({ path: join(screenshots, `agent-${name}-${width}.png`), fullPage: true })
      expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(width)
      // Not as a script of the page, whose policy allows none from elsewhere.
      await page.evaluate(await readFile(axe, 'utf8'))
      const violations = await page.evaluate(async () => {
        // biome-ignore lint/suspicious/noExplicitAny: axe puts itself into the window
        const { violations } = await (window as any).axe.run()
        return violations.map(({ id, nodes }: { id: string; nodes: { html: string }[] }) => [
          id,
          nodes.map(({ html }) => html),
        ])
      })
      expect(violations, `${name}, ${colorScheme}`).toEqual([])
    }
  }

  test('takes a call: both hear each other, digits arrive, hold is silent, a reload keeps it, the customer ends it', async () => {
    const { call, phone } = await rings()
    await shows(ann.page, 'incoming', 'Maria is calling')
    await shows(ann.page, 'incoming', `+${maria}`)
    await accept(ann)
    await shows(ann.page, 'call-state', 'Connected')
    await Promise.all([hearsTone(ann, 1000), phoneHears(ann, phone)])
    await shows(ann.page, 'elapsed', /^0:\d\d$/)

    await ann.page.getByTestId('keypad-toggle').click()
    await ann.page.locator('[data-testid=keypad] button:focus').waitFor()
    await ann.page.keyboard.press('5')
    await ann.page.getByTestId('keypad').getByRole('button', { name: 'hash' }).click()
    const events = () =>
      new Set(phone.received.filter(({ header }) => header.payloadType === 126).map(({ payload }) => payload[0]))
    await soon(() => events().size === 2, 'two digits reach the phone')
    expect([...events()]).toEqual([5, 11])
    await shows(ann.page, 'keypad-sent', '5#')
    await inspect(ann.page, 'keypad')

    await ann.page.getByTestId('hold').click()
    await shows(ann.page, 'call-state', 'On hold')
    await until('the phone gets no speech', async () => {
      const before = speech(phone).length
      await new Promise((resolve) => setTimeout(resolve, 100))
      return speech(phone).length === before || undefined
    })
    await ann.page.getByTestId('hold').click()
    await phoneHears(ann, phone)

    await ann.page.reload()
    await shows(ann.page, 'call-state', 'Connected')
    await Promise.all([hearsTone(ann, 1000), phoneHears(ann, phone)])
    expect(call.ended).toBe(false)

    meta.simulator.ends(call)
    await shows(ann.page, 'notice', 'Maria hung up.')
    await shows(ann.page, 'past-call', /Maria\s*Talked 0:\d\d/)
    await ready(ann)
    await ann.page.reload()
    await ready(ann)
  })

  test('calls a customer who gave permission, and says answered when the customer is, not the phone', async () => {
    const { simulator } = meta
    await ann.page.getByTestId('number').fill('+49 1515 5567890')
    await clickOn(ann.page, 'check')
    await shows(ann.page, 'permission', 'has not allowed calls')
    expect(await ann.page.getByTestId('dial').isDisabled()).toBe(true)
    await clickOn(ann.page, 'request-permission')
    await shows(ann.page, 'permission', 'Asked.')
    simulator.answersRequest(noor, { granted: true })
    await shows(ann.page, 'permission', 'allows calls until')
    await inspect(ann.page, 'outgoing')

    const phone = new Phone()
    const begun = businessCall(meta)
    await clickOn(ann.page, 'dial')
    const call = await begun
    closing.push(
      () => simulator.ends(call),
      () => phone.close(),
    )
    simulator.watch(call, phone)
    simulator.phoneConnects(call, await phone.answer(call.sdp ?? ''))
    simulator.status(call, 'RINGING')
    await shows(ann.page, 'call-state', 'phone rings')
    await soon(() => phone.connected, 'the phone is connected')
    await ann.page.locator('[data-testid=call][data-media=connected]').waitFor()
    expect(await ann.page.getByTestId('elapsed').innerText()).toBe('')
    expect(await ann.page.getByTestId('call').getAttribute('data-state')).toBe('ringing')

    simulator.status(call, 'ACCEPTED')
    await shows(ann.page, 'call-state', 'Connected')
    await shows(ann.page, 'elapsed', /^0:\d\d$/)
    closing.push(play(phone, tone))
    await Promise.all([hearsTone(ann, 1000), phoneHears(ann, phone)])
    await clickOn(ann.page, 'hangup')
    await shows(ann.page, 'notice', 'Call ended.')
    await soon(() => call.ended, 'the call is over at WhatsApp')
    expect(call.actions).toEqual(['connect', 'terminate'])
    await ready(ann)
  })

  describe('with a colleague', () => {
    let bea: AgentPage
    beforeAll(async () => {
      bea = await joinAgent(browser, stack.url, 'bea')
    })
    afterAll(() => bea?.page.context().close())

    test('both ring and one wins; handed over, the customer hears the other one', async () => {
      const { call, phone } = await rings()
      await shows(ann.page, 'incoming', 'Maria')
      await accept(bea)
      await shows(ann.page, 'notice', 'Maria’s call was taken elsewhere.')
      expect(await ann.page.getByTestId('incoming').count()).toBe(0)
      await hearsTone(bea, 1000)

      const laptop = await joinAgent(browser, stack.url, 'bea', 'call')
      closing.push(() => laptop.page.context().close())
      await shows(laptop.page, 'call-state', 'on another of your devices')
      await clickOn(laptop.page, 'continue')
      await shows(bea.page, 'notice', 'Maria’s call was taken elsewhere.')
      await hearsTone(laptop, 1000)
      await laptop.page.close()
      await bea.page.reload()
      await clickOn(bea.page, 'continue')
      await hearsTone(bea, 1000)

      await clickOn(bea.page, 'transfer-toggle', 'transfer-ann')
      await shows(ann.page, 'incoming', 'from bea')
      await clickOn(bea.page, 'keep')
      await ann.page.getByTestId('incoming').waitFor({ state: 'detached' })
      await inspect(bea.page, 'call')
      await clickOn(bea.page, 'transfer-ann')
      await accept(ann)
      await shows(bea.page, 'notice', 'Maria’s call was handed over.')
      await shows(ann.page, 'call-state', 'Connected')
      await Promise.all([hearsTone(ann, 1000), phoneHears(ann, phone)])
      await clickOn(ann.page, 'hangup')
      await soon(() => call.ended, 'the call is over at WhatsApp')
      expect(call.actions).toEqual(['pre_accept', 'accept', 'terminate'])
      await Promise.all([ready(ann), ready(bea)])
    })

    test('several ring; whom all decline is rejected', async () => {
      const [first, second] = [await rings(), await rings(noor, 'Noor')]
      for (const { page } of [ann, bea]) await shows(page, 'incoming', '2 customers are calling')
      await inspect(ann.page, 'ringing')
      await bea.page.getByRole('button', { name: 'Accept Noor' }).click()
      await shows(bea.page, 'call', 'Noor')
      await shows(ann.page, 'incoming', 'Maria is calling')
      await ann.page.keyboard.press('Escape')
      await shows(ann.page, 'notice', 'You declined Maria’s call.')
      expect([first.call.ended, second.call.ended]).toEqual([false, false])
      await clickOn(bea.page, 'hangup')
      // She is free again, and Maria still waits.
      await bea.page.getByRole('button', { name: 'Decline Maria' }).click()
      await soon(() => first.call.ended && second.call.ended, 'both calls are over')
      expect(first.call.actions.at(-1)).toBe('reject')
    })
  })

  test('rings nobody who is no agent, or has no microphone, and says why', async () => {
    const guest = await (await browser.newContext()).newPage()
    closing.push(() => guest.context().close())
    await guest.goto(`${stack.url}agent`)
    await guest.getByTestId('name-input').fill('dora')
    await clickOn(guest, 'join')
    await shows(guest, 'notice', 'Guests take no calls here')
    await shows(guest, 'status', 'dora: not available')

    const page = await (await browser.newContext()).newPage()
    closing.push(() => page.context().close())
    await page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'))
    })
    await page.goto(`${stack.url}agent`)
    await inspect(page, 'join')
    await page.getByTestId('token-input').fill(await agentToken('cem'))
    await clickOn(page, 'join')
    await shows(page, 'notice', 'No camera or microphone was found.')
    await shows(page, 'status', 'cem: not available')
  })

  test('broke no rule of WhatsApp’s meanwhile, and the page none of its own policy', () => {
    expect(meta.simulator.violations).toEqual([])
    expect(ann.log.filter((line) => !line.startsWith('info'))).toEqual([])
  })

  test('in direct mode the browser talks with the phone itself, until it is loaded anew', async () => {
    const direct = await startMeta()
    const { simulator } = direct
    closing.push(() => direct.close())
    const service = await startWhatsapp(direct, { env: { HAIRPIN_WHATSAPP_MODE: 'direct' } })
    closing.push(() => service.stop())
    const cem = await joinAgent(browser, service.url, 'cem')
    closing.push(() => cem.page.context().close())
    const phones = [new Phone(), new Phone()] as const
    closing.push(() => Promise.all(phones.map((phone) => phone.close())))
    const hearEachOther = async (phone: Phone) => {
      await shows(cem.page, 'call-state', 'Connected')
      closing.push(play(phone, tone))
      await Promise.all([hearsTone(cem, 1000), phoneHears(cem, phone)])
    }

    const call = simulator.userCalls(maria, 'Maria', await phones[0].offer())
    simulator.watch(call, phones[0])
    await accept(cem)
    await soon(() => call.preAccepted, 'the call is pre-accepted')
    await phones[0].join(call.sdp!)
    await hearEachOther(phones[0])
    await clickOn(cem.page, 'hangup')
    await soon(() => call.ended, 'the call is over at WhatsApp')

    simulator.permissions.grant(noor, true)
    await cem.page.getByTestId('number').fill(`+${noor}`)
    const begun = businessCall(direct)
    await clickOn(cem.page, 'check', 'dial')
    const business = await begun
    simulator.watch(business, phones[1])
    simulator.phoneConnects(business, await phones[1].answer(business.sdp ?? ''))
    simulator.status(business, 'ACCEPTED')
    await hearEachOther(phones[1])
    expect(simulator.violations).toEqual([])
    await cem.page.reload()
    await soon(() => business.ended, 'the call is over at WhatsApp')
    await shows(cem.page, 'notice', 'The connection was lost.')
  })
})
