import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, extname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import { useStage } from '../helpers/stage.ts'
import { metric } from '../helpers/standalone.ts'

/**
 * MDN's tutorial publishes a client (`webrtc-from-chat` of its samples-server) that many apps began with. The page here
 * speaks as that one does and has the same elements; with the variable set, the client in that folder runs instead, such
 * as the original.
 */
const folder = process.env.HAIRPIN_TEST_TUTORIAL ?? join(import.meta.dirname, 'tutorial-client')

describe.skipIf(!has('chromium'))('the tutorial’s client, given only address and relay', () => {
  let site: Site
  const problems: string[] = []
  const stage = useStage(async () => {
    site = await serve(folder)
    return { env: { HAIRPIN_ORIGINS: site.origin } }
  })
  afterAll(() => void site?.server.close())

  async function logIn(name: string): Promise<Page> {
    const page = await (await stage.context()).newPage()
    page.on('pageerror', ({ message }) => problems.push(message))
    page.on('dialog', (dialog) => problems.push(dialog.message()))
    await page.addInitScript(moveTo, `${stage.stack.url.replace('http', 'ws')}ws`)
    await page.goto(`${site.origin}/index.html`)
    await page.locator('#name').fill(name)
    await page.locator('[name=login]').click()
    await page.locator('.userlistbox li').first().waitFor()
    return page
  }

  it('logs in, chats, calls by a click on a name, and hangs up without saying whom', async () => {
    const ann = await logIn('ann')
    const bob = await logIn('bob')
    const other = await logIn('ann')
    const pages = [ann, bob, other]
    for (const page of pages) await until('three people', async () => (await names(page)).length === 3 || undefined)
    expect(await names(ann)).toEqual(expect.arrayContaining(['ann', 'bob']))
    await other.locator('.chatbox').filter({ hasText: 'Your username has been set to' }).waitFor()

    await bob.locator('#text').fill('hello <img src=x onerror=alert(1)>')
    await bob.locator('#send').click()
    for (const page of pages) {
      await page
        .locator('.chatbox')
        .filter({ hasText: /bob: hello ‹img src=x/ })
        .waitFor()
      expect((await page.locator('.chatbox').innerText()).match(/hello/g)).toHaveLength(1)
    }

    await called(ann, bob)
    await until(
      'the relay counts it',
      async () => metric(await stage.stack.metrics(), 'hairpin_relay_bytes_total') || undefined,
    )
    await hangUp(ann, bob)
    await called(bob, ann)
    await hangUp(ann, bob)
    expect(problems).toEqual([])
  })
})

interface Site {
  readonly origin: string
  readonly server: Server
}

/** Serves the files of a folder as another host of the same machine. */
async function serve(folder: string): Promise<Site> {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
  const server = createServer(async ({ url = '' }, response) => {
    const file = basename(url)
    const body = await readFile(join(folder, file)).catch(() => undefined)
    response
      .writeHead(body ? 200 : 404, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
      .end(body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

/** Runs in the page before its own script: its sockets go to `server`, its peer connections use that server's relay alone. */
function moveTo(server: string): void {
  let iceServers: RTCIceServer[] = []
  window.WebSocket = class extends WebSocket {
    constructor(_url: string | URL, protocols?: string | string[]) {
      super(server, protocols)
      this.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data)
        if (message.type === 'ice-servers') iceServers = message.iceServers
      })
    }
  }
  class Relayed extends RTCPeerConnection {
    constructor() {
      super({ iceServers, iceTransportPolicy: 'relay' })
      // Of the browser's own: adapter.js puts another in its place.
      Object.assign(window, { statsOfCall: () => super.getStats() })
    }
  }
  // The old name too: the original loads a version of adapter.js that prefers it.
  Object.assign(window, { RTCPeerConnection: Relayed, webkitRTCPeerConnection: Relayed })
}

function names(page: Page): Promise<string[]> {
  return page.locator('.userlistbox li').allInnerTexts()
}

/** `caller` clicks on the other's name, whose page answers by itself; both show moving pictures. */
async function called(caller: Page, callee: Page): Promise<void> {
  const name = await callee.locator('#name').inputValue()
  await caller.locator('.userlistbox li', { hasText: new RegExp(`^${name}$`) }).click()
  for (const page of [caller, callee])
    await until('pictures', async () => (await framesShown(page)) > 10 || undefined, 60)
}

/** Frames of the other side in the present call, 0 unless the page shows them. */
function framesShown(page: Page): Promise<number> {
  return page.locator('#received_video').evaluate(async (video: HTMLVideoElement) => {
    const { statsOfCall } = window as unknown as { statsOfCall?: () => Promise<RTCStatsReport> }
    const stats = [...((await statsOfCall?.())?.values() ?? [])]
    const live = video.videoWidth > 0 && (video.srcObject as MediaStream).active
    return live
      ? stats.reduce((sum, { type, framesDecoded = 0 }) => sum + (type === 'inbound-rtp' ? framesDecoded : 0), 0)
      : 0
  })
}

/** The tutorial forgets whom it talks to before it says so: the target that it sends is null. */
async function hangUp(one: Page, other: Page): Promise<void> {
  await one.locator('#hangup-button').click()
  for (const page of [one, other]) await page.locator('#hangup-button:disabled').waitFor()
}
