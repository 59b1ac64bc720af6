import { type Browser, chromium } from 'playwright-core'

export interface BrowserOptions {
  /** The program to start instead of Chromium itself, as a wrapper that runs it in a network namespace. */
  readonly executable?: string
  /** An http: origin that gets a camera all the same. */
  readonly insecureOrigin?: string
}

export const chromiumPath = '/usr/bin/chromium'

/** Headless Chromium with a synthetic camera and microphone that says nothing to the outside. */
export function launchBrowser(options: BrowserOptions = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: options.executable ?? chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--allow-loopback-in-peer-connection',
      '--ignore-certificate-errors',
      // Two pages of one test run side by side: the one behind must not be slowed down.
      '--disable-background-timer-throttling',
      '--disable-backgrounding-occluded-windows',
      '--disable-renderer-backgrounding',
      ...(options.insecureOrigin ? [`--unsafely-treat-insecure-origin-as-secure=${options.insecureOrigin}`] : []),
    ],
  })
}
