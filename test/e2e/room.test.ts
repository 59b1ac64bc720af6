import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import { useStage } from '../helpers/stage.ts'

describe.skipIf(!has('chromium'))('a room of the demo', () => {
  const stage = useStage()

  async function visit(url: string, name: string): Promise<Page> {
    const context = await stage.context()
    // Four pages with twelve pictures on two cores that others use too.
    context.setDefaultTimeout(60_000)
    const page = await context.newPage()
    await page.addInitScript(() => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
      // A camera of the page's own: the browser's synthetic one, which all pages share, at times gives no more pictures
      // on a busy machine.
      navigator.mediaDevices.getUserMedia = async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 })
        const pen = canvas.getContext('2d')
        let hue = 0
        setInterval(() => {
          hue += 20
          if (pen) pen.fillStyle = `hsl(${hue} 80% 50%)`
          pen?.fillRect(0, 0, 160, 120)
        }, 100)
        const sound = await open({ audio: true })
        return new MediaStream([...sound.getTracks(), ...canvas.captureStream(10).getTracks()])
      }
      window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(configuration?: RTCConfiguration) {
          super({ ...configuration, iceTransportPolicy: 'relay' })
        }
      }
    })
    await page.goto(url)
    await page.getByTestId('name-input').fill(name)
    await page.getByTestId('join').click()
    return page
  }

  it('connects four who follow one link, each with each over the relay, through a reload and a leave', {
    timeout: 240_000,
  }, async () => {
    const ann = await visit(stage.stack.url, 'ann')
    await ann.getByTestId('open-room').click()
    const link = (await ann.getByTestId('invite-link').getAttribute('href')) ?? ''
    expect(new URL(link).searchParams.get('room')).toMatch(/^\w{10,}$/)
    const bob = await visit(link, 'bob')
    const carol = await visit(link, 'carol')
    const dave = await visit(link, 'dave')
    const pages = { ann, bob, carol, dave }
    await everyoneSees(pages)

    await bob.getByTestId('chat-input').fill('hello room')
    await bob.getByTestId('chat-send').click()
    for (const page of Object.values(pages))
      await page.getByTestId('chat-log').filter({ hasText: 'hello room' }).waitFor()
    await carol.getByTestId('mute').click()
    await ann.getByTestId('member-carol').filter({ hasText: 'carol · muted' }).waitFor()

    await carol.reload()
    // Once she is connected, the others have let go of who she was.
    await everyoneSees({ carol, ann, bob, dave })

    await ann.getByTestId('leave-room').click()
    await bob.getByTestId('member-ann').waitFor({ state: 'detached' })
    await everyoneSees({ bob, carol, dave })
    await Promise.all([bob, carol, dave].map((page) => page.evaluate(() => window.hairpin.leave())))
  })
})

/** Each page is connected by relay to each of the others and shows moving pictures of it. */
async function everyoneSees(pages: Record<string, Page>): Promise<void> {
  for (const [name, page] of Object.entries(pages)) {
    for (const other of Object.keys(pages))
      if (other !== name) await page.locator(`[data-testid=member-${other}][data-state=connected]`).waitFor()
    await until(
      `${name} sees the others`,
      async () => {
        const seen = await facts(page)
        const wanted = Object.keys(pages).length - 1
        if (seen.length === wanted && seen.every(({ frames, local }) => frames > 10 && local === 'relay')) return true
        // `until` says what it saw last.
        throw new Error(JSON.stringify(seen))
      },
      60,
    )
  }
}

/** What the browser says of each of its peer connections. */
function facts(page: Page): Promise<{ frames: number; local: string; state: string }[]> {
  return page.evaluate(() =>
    Promise.all(
      window.hairpin.peerConnections.map(async (pc) => {
        const entries = new Map([...(await pc.getStats()).values()].map((entry) => [entry.id, entry]))
        let frames = 0
        let local = ''
        for (const entry of entries.values()) {
          if (entry.type === 'inbound-rtp') frames += entry.framesDecoded ?? 0
          if (entry.type === 'transport')
            local = entries.get(entries.get(entry.selectedCandidatePairId)?.localCandidateId)?.candidateType ?? ''
        }
        return { frames, local, state: pc.connectionState }
      }),
    ),
  )
}
