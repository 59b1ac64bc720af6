import type { Step } from '../types.ts'

/** Seconds. The Date header is a whole second, and the answer was some time under way. */
const MUCH = 30

/** Credentials and tokens end at a time of day: clocks that differ cut them short. */
export const clock: Step = {
  id: 'clock',
  title: 'Clocks',
  on: ['browser', 'node'],
  needs: ['server'],
  outcomes: {
    agree: { verdict: 'passed', means: 'The clocks of the server and of this machine agree.' },
    differ: {
      verdict: 'warning',
      means:
        'The clocks of the server and of this machine differ: clients would renew credentials too late, and tokens minted on a machine with a wrong clock are refused.',
      todo: 'Let both set their clocks by the network (timedatectl set-ntp true; automatic date and time on phones).',
    },
    untold: { verdict: 'skipped', means: 'The server does not tell the time.' },
  },
  async run(driver, { log }) {
    const facts = await driver.date(log)
    if (facts.state === 'untold') return { outcome: 'untold' }
    const { server, before, after } = facts
    const skew = (server + 500 - (before + after) / 2) / 1000
    log(`the server says ${new Date(server).toISOString()}, here it was ${new Date(before).toISOString()}`)
    const apart = Math.abs(skew) < 1.5
    const detail = apart
      ? 'within a second or so'
      : `the server is ${Math.abs(skew).toFixed(0)} s ${skew > 0 ? 'ahead' : 'behind'}`
    return { outcome: Math.abs(skew) > MUCH ? 'differ' : 'agree', detail, facts: { skewSeconds: Math.round(skew) } }
  },
}
