import type { Context } from '../context.ts'
import type { Driver, LoopOpening } from '../driver.ts'
import type { RelayTarget } from '../servers.ts'
import { type LoopFigures, measureLoop } from '../traffic.ts'
import { troubleOutcomes } from '../trouble.ts'
import type { Finding, Step } from '../types.ts'
import { refusalOf, relayRefusals } from './turn.ts'

/** What a video call bears: parts of 1, milliseconds. */
const bearable = { loss: 0.02, jitter: 30, rtt: 400, rate: 0.8 }

/** Two peers of this machine call each other through the relay. */
export const loop: Step = {
  id: 'loop',
  title: 'Relayed loop',
  on: ['browser', 'node'],
  needs: [['turn-udp', 'turn-tcp', 'turn-tls']],
  outcomes: {
    carried: { verdict: 'passed', means: 'Media gets through the relay and back, as a call would send it.' },
    lossy: {
      verdict: 'warning',
      means: 'Packets get lost on the way through the relay: sound and picture will suffer.',
      todo: 'Check by cable instead of Wi-Fi, and at another time. If other networks are fine, it is this one; if not, look at the load of the server and at HAIRPIN_MAX_BPS.',
    },
    shaky: {
      verdict: 'warning',
      means: 'Packets arrive at uneven times, or late: speech will break up or overlap.',
      todo: 'Check by cable instead of Wi-Fi, and with nothing else loading the line.',
    },
    slow: {
      verdict: 'warning',
      means: 'Less got through than was to be sent: this machine was busy, the line is narrow, or the relay limits it.',
      todo: 'Close other programs and check again; look at HAIRPIN_MAX_BPS, HAIRPIN_TOTAL_BPS and the app’s budget.',
    },
    nothing: {
      verdict: 'failed',
      means: 'Both peers have an address at the relay, but nothing that is sent to it comes out.',
      todo: 'Look at HAIRPIN_EXTERNAL_IP: behind 1:1 NAT it is public/private. The relay must reach itself by its relayed addresses.',
    },
    other: {
      verdict: 'failed',
      means: 'The peers found each other by another way than the one that was to be tried.',
      todo: 'Check again; if it stays, report it with the log.',
    },
    ...relayRefusals,
    forbidden: {
      verdict: 'failed',
      means: 'The relay does not relay to its own relayed address (403).',
      todo: 'Look at HAIRPIN_PEER_DENY and HAIRPIN_PEER_ALLOW. A relay of another make may do so on purpose.',
    },
    ...troubleOutcomes('the relay', 'The relay was reached a moment ago: check again.'),
  },
  async run(driver, context) {
    const target = best(context.reached)
    context.log(`by ${target.url}`)
    const opening = await driver.loop(target, context.log)
    return opening.state === 'open' ? await measure(driver, context, target, opening) : refused(opening)
  },
}

/** UDP is what calls take when they can. */
function best(reached: readonly RelayTarget[]): RelayTarget {
  const rank = { udp: 0, tcp: 1, tls: 2 }
  return [...reached].sort((a, b) => rank[a.transport] - rank[b.transport])[0]!
}

function refused(opening: Exclude<LoopOpening, { state: 'open' }>): Finding {
  if (opening.state === 'trouble')
    return {
      outcome: opening.trouble.kind === 'timeout' ? 'nothing' : opening.trouble.kind,
      detail: opening.trouble.text,
    }
  return { outcome: refusalOf(opening.code), detail: `${opening.code} ${opening.reason}` }
}

async function measure(
  _: Driver,
  { clock, loop: plan, log }: Context,
  target: RelayTarget,
  { link, transport }: Extract<LoopOpening, { state: 'open' }>,
): Promise<Finding> {
  try {
    if (transport !== target.transport) return { outcome: 'other', detail: `over ${transport}` }
    log(
      `both peers are connected over ${transport}; sending ${plan.bitsPerSecond / 1e6} Mbit/s for ${plan.milliseconds / 1000} s`,
    )
    const figures = await measureLoop(link, plan, clock)
    log(`${figures.received} of ${figures.sent} packets arrived`)
    return judge(figures, transport)
  } finally {
    link.close()
  }
}

function judge(figures: LoopFigures, transport: string): Finding {
  const { loss, jitter = 0, rtt, bitsPerSecond, plannedBitsPerSecond, received, sent } = figures
  if (received < 2 || rtt === undefined) return { outcome: 'nothing', detail: `${received} of ${sent} packets arrived` }
  const detail =
    `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s, ${(loss * 100).toFixed(1)} % lost, jitter ${jitter.toFixed(1)} ms, ` +
    `round trip ${rtt.median.toFixed(1)} ms (twice to the relay and back), over ${transport}`
  const facts = {
    transport,
    packetsSent: sent,
    packetsReceived: received,
    lossPercent: round(loss * 100),
    bitsPerSecond,
    jitterMs: round(jitter),
    rttLeastMs: round(rtt.least),
    rttMedianMs: round(rtt.median),
    rttMostMs: round(rtt.most),
  }
  const found = (outcome: string): Finding => ({ outcome, detail, facts })
  if (loss > bearable.loss) return found('lossy')
  if (jitter > bearable.jitter || rtt.median > bearable.rtt) return found('shaky')
  return found(bitsPerSecond < plannedBitsPerSecond * bearable.rate ? 'slow' : 'carried')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
