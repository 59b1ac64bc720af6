/** One client that behaves badly while others talk: what it costs them, and the server's memory. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running, Setting } from '../contenders/contender.ts'
import { STAMP, Template, textFrame } from '../load/frame.ts'
import { call, join } from '../load/join.ts'
import { APP_USERS, people, type Who } from '../load/people.ts'
import { talkOf } from '../load/talk.ts'
import { peakGrowth } from '../load/watch.ts'
import { alone } from './alone.ts'
import type { Bench } from './bench.ts'

const PAIRS = 50
/** Each of the others, a second: within the allowance that Hairpin ships with, which is 30. */
const CLIENT_RATE = 10
const WARM_MS = 500
const CHUNK_BYTES = 16 * 1024
const FLOOD_CHUNK = 32

/** A client stops reading; another one goes on sending to it. */
export async function slow(bench: Bench): Promise<void> {
  const { megabytes } = bench.options
  const shape = `${megabytes} MB to a client that does not read, ${othersOf(bench)} talk at ${rateOf(bench)} messages/s`
  // Nobody's allowance of messages may stop this one: what is shown is the bound of what waits for a client.
  await troubled(bench, 'slow', shape, { unlimited: true }, async (running, [sender, sleeper], until) => {
    const speaking = await join(running, sender)
    const sleeping = await join(running, sleeper)
    sleeping.pause()
    const message = textFrame(running.contender.dialect.data(sleeper, 'x'.repeat(CHUNK_BYTES)))
    let sent = 0
    while (sent < megabytes * 2 ** 20 && performance.now() < until) {
      if (!speaking.write(message)) await speaking.drained()
      sent += message.length
      await breath()
    }
    // What the server took is not always what it has looked at.
    if (performance.now() < until) await sleep(until - performance.now())
    speaking.end()
    sleeping.end()
    return { offeredMB: sent / 2 ** 20 }
  })
}

/** A client sends as fast as the server reads, and comes again at once when it is thrown out. */
export async function flood(bench: Bench): Promise<void> {
  const shape = `one client sends all it can, ${othersOf(bench)} talk at ${rateOf(bench)} messages/s, limits as shipped`
  await troubled(bench, 'flood', shape, { unlimited: false }, async (running, [flooder, target], until) => {
    const heard = await join(running, target)
    const burst = new Template(running.contender.dialect.candidate(target, STAMP)).stamped(FLOOD_CHUNK, 1, 0)
    let sent = 0
    let thrownOut = 0
    while (performance.now() < until) {
      const client = await join(running, flooder).catch(() => undefined)
      if (client === undefined) continue
      const parties = [
        { who: flooder, client },
        { who: target, client: heard },
      ] as const
      await call(running, ...parties).catch(() => {})
      while (performance.now() < until && !client.closed) {
        if (!client.write(burst)) await client.drained()
        sent += FLOOD_CHUNK
        await breath()
      }
      if (client.closed) thrownOut++
      client.end()
    }
    heard.end()
    return { flooded: sent, thrownOut }
  })
}

const breath = () => new Promise<void>((resolve) => setImmediate(resolve))
const pairsOf = ({ options }: Bench) => Math.min(PAIRS, options.pairs)
const othersOf = (bench: Bench) => `${2 * pairsOf(bench)} others`
const rateOf = (bench: Bench) => 2 * pairsOf(bench) * CLIENT_RATE

async function troubled(
  bench: Bench,
  scenario: string,
  shape: string,
  setting: Setting,
  trouble: (running: Running, makers: readonly [Who, Who], until: number) => Promise<Record<string, number>>,
): Promise<void> {
  const pairs = pairsOf(bench)
  const lasting = bench.options.seconds * 1e3
  // The two troublemakers are of an app of their own.
  const whos = await people(2 * pairs)
  const others = await people(2 * pairs + 2 * APP_USERS)
  const makers = [others.at(-2)!, others.at(-1)!] as const
  await alone(bench, scenario, shape, setting, async (running) => {
    const talk = await talkOf(running, whos)
    const end = talk.pace(rateOf(bench))
    await sleep(Math.min(WARM_MS, lasting))
    await bench.patience.waitForQuiet()
    const before = await talk.window(() => sleep(lasting))
    let made: Record<string, number> = {}
    let growth = 0
    const during = await talk.window(async () => {
      growth = await peakGrowth(running.pid, async () => {
        made = await trouble(running, makers, performance.now() + lasting)
      })
    })
    end()
    const settled = await talk.settle()
    talk.end()
    return {
      ...made,
      ...settled,
      growth,
      p99Before: before.p99,
      p99During: during.p99,
      maxDuring: during.max,
      serverCores: during.serverCores,
      foreignCores: during.foreignCores,
    }
  })
}
