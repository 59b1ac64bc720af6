import type { Step } from '../types.ts'

/** What the browser itself needs for calls, before any network. */
export const page: Step = {
  id: 'page',
  title: 'Secure page',
  on: ['browser'],
  needs: [],
  outcomes: {
    secure: { verdict: 'passed', means: 'The browser lets this page use camera, microphone and clipboard.' },
    insecure: {
      verdict: 'warning',
      means:
        'The page came over plain HTTP: browsers give camera and microphone to pages over HTTPS only, except on localhost.',
      todo: 'Open the page over https://. On the server, point a domain to it and set HAIRPIN_DOMAIN: the certificate then comes by itself.',
    },
  },
  async run(driver, { log }) {
    const { secure } = await driver.page!()
    log(`${driver.origin} is ${secure ? '' : 'not '}a secure context`)
    return { outcome: secure ? 'secure' : 'insecure', detail: driver.origin }
  },
}

export const microphone: Step = {
  id: 'microphone',
  title: 'Microphone',
  on: ['browser'],
  needs: ['page'],
  outcomes: {
    available: { verdict: 'passed', means: 'There is a microphone, and it is not forbidden here.' },
    none: {
      verdict: 'warning',
      means: 'The browser knows no microphone: others would not hear you.',
      todo: 'Plug one in, or let the browser use it in the settings of the system.',
    },
    denied: {
      verdict: 'warning',
      means: 'The microphone is forbidden for this site.',
      todo: 'Allow it in the site settings, beside the address of the page.',
    },
    unsupported: {
      verdict: 'warning',
      means: 'The browser offers no devices to this page.',
      todo: 'Open the page over https://, or use a newer browser.',
    },
  },
  async run(driver, { log }) {
    const { microphone } = await driver.page!()
    log(`microphone: ${microphone} (it was not opened)`)
    return { outcome: microphone }
  },
}
