import { fileURLToPath } from 'node:url'
import type * as sdk from '@hairpin/client'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { until } from './exec.ts'
import type { Stage } from './stage.ts'

declare global {
  interface Window {
    hairpinSdk: typeof sdk
    client: sdk.HairpinClient
    /** The newest call, whatever became of it. */
    call: sdk.Call | undefined
  }
}

/** The SDK as one script that puts itself into the window. */
async function script(): Promise<string> {
  const entry = fileURLToPath(new URL('../../packages/client/src/index.ts', import.meta.url))
  const options = { bundle: true, format: 'iife', globalName: 'hairpinSdk', write: false } as const
  const { outputFiles } = await build({ entryPoints: [entry], ...options })
  return outputFiles[0]?.text ?? ''
}

/** One device: a page with nothing but the SDK, joined by a token. */
export async function openDevice(stage: Stage, token: string): Promise<Page> {
  const page = await (await stage.context()).newPage()
  // Of the same origin, and without a script of its own.
  await page.goto(new URL('manifest.webmanifest', stage.stack.url).href)
  await page.evaluate(`${await script()};window.hairpinSdk = hairpinSdk`)
  await page.evaluate(async (token) => {
    const url = `${location.origin.replace('http', 'ws')}/ws`
    window.client = new window.hairpinSdk.HairpinClient({ url, getToken: () => token, store: null })
    window.client.on('call', (call) => {
      window.call = call
    })
    window.client.join()
    await window.client.once('joined')
  }, token)
  return page
}

export function callFrom(page: Page, name: string): Promise<void> {
  return page.evaluate(async (name) => {
    const { stream } = await window.hairpinSdk.openMedia(navigator.mediaDevices)
    window.client.call(name, stream)
  }, name)
}

export function accept(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const { stream } = await window.hairpinSdk.openMedia(navigator.mediaDevices)
    await window.call?.accept(stream)
  })
}

/** Waits until the newest call is in this state, or has ended for this reason. */
export function callIs(page: Page, wanted: string): Promise<string> {
  return until(`the call is ${wanted}`, async () => {
    const now = await page.evaluate(() => window.call?.end?.reason ?? window.call?.state)
    return now === wanted ? now : undefined
  })
}
