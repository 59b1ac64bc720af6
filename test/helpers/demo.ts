/** What a test sees and does on the demo page. */
import type { Locator, Page } from 'playwright-core'
import type { Guest } from './call.ts'

export function at(guest: Guest, testId: string): Locator {
  return guest.page.getByTestId(testId)
}

/** Waits until the status says so: a state of the call, or `joined`. */
export async function state(guest: Guest, wanted: string): Promise<void> {
  await guest.page.locator(`[data-testid=status][data-state=${wanted}]`).waitFor()
}

/** @param timeout milliseconds */
export async function eventually(guest: Guest, testId: string, text: RegExp, timeout = 30_000): Promise<void> {
  await at(guest, testId).filter({ hasText: text }).waitFor({ timeout })
}

export async function say(guest: Guest, text: string): Promise<void> {
  await at(guest, 'chat-input').fill(text)
  await at(guest, 'chat-send').click()
}

export function problems(guest: Guest): string[] {
  return guest.log.filter((line) => /^(error|uncaught)/.test(line))
}

/** Whether each video element shows pictures. */
export function pictures(guest: Guest): Promise<{ local: boolean; remote: boolean }> {
  return guest.page.evaluate(() => {
    const shows = (id: string) => (document.querySelector<HTMLVideoElement>(`[data-testid=${id}]`)?.videoWidth ?? 0) > 0
    return { local: shows('local-video'), remote: shows('remote-video') }
  })
}

export function sending(guest: Guest, kind: string): Promise<boolean> {
  return guest.page.evaluate(
    (wanted) =>
      window.hairpin.peerConnection?.getSenders().some(({ track }) => track?.kind === wanted && track.enabled) ?? false,
    kind,
  )
}

/** The device that the sent track of a kind comes from. */
export function sent(guest: Guest, kind: string): Promise<string | undefined> {
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
export function remoteFragment(guest: Guest): Promise<string | undefined> {
  return guest.page.evaluate(
    () => /a=ice-ufrag:(\S+)/.exec(window.hairpin.peerConnection?.remoteDescription?.sdp ?? '')?.[1],
  )
}

export interface Layout {
  /** Pixels that the page is wider than the window. */
  readonly overflow: number
  /** Texts of elements that stick out to a side. */
  readonly outside: readonly string[]
  /** Buttons without a name. */
  readonly nameless: number
}

export function layout(page: Page): Promise<Layout> {
  return page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - innerWidth,
    outside: [...document.querySelectorAll('button, input, p, h1, h2')]
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect()
        return width > 0 && (left < 0 || right > innerWidth)
      })
      .map((element) => element.textContent ?? ''),
    nameless: [...document.querySelectorAll('button')].filter(
      (button) => !button.textContent?.trim() && !button.getAttribute('aria-label'),
    ).length,
  }))
}

export function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.testid)
}

export function outlined(page: Page): Promise<boolean> {
  return page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle !== 'none')
}

export async function tabTo(page: Page, testId: string): Promise<void> {
  for (let press = 0; press < 15; press++) {
    if ((await focused(page)) === testId) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`no way to ${testId} by Tab`)
}
