/** Candidates within calls: how many a second, and how fast they are delivered when it is not too many. */
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../../measure/stats.ts'
import { Fleet } from '../../scenarios/fleet.ts'
import { type Contender, launch, type Running } from '../contenders/contender.ts'
import { people } from '../load/people.ts'
import { type Talk, talkOf, type Window } from '../load/talk.ts'
import type { Bench } from './bench.ts'

/** Each client has so many messages under way to the other one. */
const IN_FLIGHT = 4
const WARM_MS = 700
/** Of what the slowest contender carries. */
const SHARE = 0.4

interface Talking {
  readonly running: Running
  readonly talk: Talk
  stop(): Promise<void>
}

export async function messages({ options, contenders, patience, results }: Bench): Promise<void> {
  const { pairs, rounds, seconds } = options
  const whos = await people(2 * pairs)
  const talking = async (contender: Contender): Promise<Talking> => {
    const running = await launch(contender, { unlimited: true })
    const talk = await talkOf(running, whos)
    const stop = async () => {
      talk.end()
      await running.stop()
    }
    return { running, talk, stop }
  }
  const fleet = new Fleet<Contender, Talking>(contenders, results, talking)
  const measured = async (scenario: string, shape: string, begin: (talk: Talk) => () => void) => {
    console.error(`${scenario}: ${shape}`)
    const highest = new Map<string, number[]>()
    for (let round = 0; round < rounds; round++)
      await fleet.each(scenario, round, async ({ running, talk }) => {
        const window = await patience.measure(() => timed(talk, begin, seconds))
        const { name } = running.contender
        highest.set(name, [...(highest.get(name) ?? []), window.received / window.seconds])
        results.add({ scenario, contender: name, shape, round, values: messageValues(window) })
      })
    return [...highest.values()].map(median)
  }
  try {
    const rates = await measured('messages', `${pairs} pairs in calls, ${IN_FLIGHT} under way each way`, (talk) => {
      talk.saturate(IN_FLIGHT)
      return () => {}
    })
    const rate = options.rate ?? Math.round((SHARE * Math.min(...rates)) / 100) * 100
    if (rate > 0 && Number.isFinite(rate))
      await measured('delivery', `${pairs} pairs in calls, ${rate} messages/s`, (talk) => talk.pace(rate))
  } finally {
    await fleet.stop()
  }
}

async function timed(talk: Talk, begin: (talk: Talk) => () => void, seconds: number) {
  const end = begin(talk)
  await sleep(Math.min(WARM_MS, seconds * 1e3))
  const window = await talk.window(() => sleep(seconds * 1e3))
  end()
  return { ...window, ...(await talk.settle()) }
}

function messageValues(window: Window) {
  return { ...window, perSecond: window.received / window.seconds }
}
