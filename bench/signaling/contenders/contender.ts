/** What a signaling server under test is to the bench, and how one is started and found ready. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nextAddress } from '../../contenders/contender.ts'
import { serverCpu, start, stop } from '../../measure/children.ts'
import type { Who } from '../load/people.ts'

/** Where a contender listens. */
export interface Site {
  readonly address: string
  readonly port: number
}

/** What a server's clients say. Texts are whole messages; what they wait for is a part of one. */
export interface Dialect {
  /** Path of the upgrade's request, with its query. */
  path(who: Who): string
  /** The first message, where there is one. */
  join(who: Who): string | undefined
  readonly joined: string
  /** What two clients say before they exchange candidates; each is awaited by the other. */
  call(
    caller: Who,
    callee: Who,
  ): readonly { readonly from: 'caller' | 'callee'; readonly text: string; readonly part: string }[]
  candidate(target: Who, candidate: string): string
  /** Any message that is passed to the target. */
  data(target: Who, data: string): string
  readonly acking?: { readonly every: number; readonly ack: (frames: number) => string }
}

export interface Setting {
  /** Allowances of messages that no load here exceeds; false: those that the server ships with. */
  readonly unlimited: boolean
  /** Everyone is a guest, in one list. */
  readonly guests?: boolean
}

export interface Contender {
  readonly name: string
  /** One line for the report. */
  readonly about: string
  readonly dialect: Dialect
  /** Why it cannot run here; undefined when it can. */
  unavailable(): string | undefined
  /** The module to run; it listens at BENCH_ADDRESS and BENCH_PORT, or where its own variables say. */
  command(site: Site, setting: Setting): { readonly entry: string; readonly env?: Readonly<Record<string, string>> }
}

/** Bytes of the server's process: as it runs, and after a collection of all its garbage. */
export interface Memory {
  readonly running: number
  readonly rss: number
  /** The heap and what hangs on it. */
  readonly heap: number
}

export interface Running {
  readonly contender: Contender
  readonly site: Site
  readonly pid: number
  collected(): Promise<Memory>
  stop(): Promise<void>
}

const READY_MS = 20_000
const PORT = 8080
const collector = pathToFileURL(join(import.meta.dirname, 'collector.ts')).href

/** `HAIRPIN_BENCH_NODE_ARGS="--cpu-prof --cpu-prof-dir=…"`: options for the Node that runs each contender. */
const extraArguments = () => process.env.HAIRPIN_BENCH_NODE_ARGS?.split(' ').filter(Boolean) ?? []

/** Starts the contender on its core and waits until it takes connections. */
export async function launch(contender: Contender, setting: Setting): Promise<Running> {
  const site: Site = { address: nextAddress(), port: PORT }
  const { entry, env } = contender.command(site, setting)
  const argv = [process.execPath, ...extraArguments(), '--expose-gc', '--import', collector, entry]
  const child = start(`${serverCpu}`, argv, {
    env: { ...process.env, BENCH_ADDRESS: site.address, BENCH_PORT: `${site.port}`, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  child.stderr?.on('data', (text: Buffer) => {
    complaint = `${complaint}${text}`.slice(-2_000)
  })
  try {
    await answers(site, child)
  } catch (cause) {
    await stop(child)
    throw new Error(`${contender.name} did not start: ${complaint.trim() || 'no message'}`, { cause })
  }
  const collected = async (): Promise<Memory> => {
    child.send('collect')
    const [memory] = (await once(child, 'message')) as [Memory]
    return memory
  }
  return { contender, site, pid: child.pid!, collected, stop: () => stop(child) }
}

async function answers({ address, port }: Site, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + READY_MS; Date.now() < until && child.exitCode === null; ) {
    const answer = await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(1_000) }).catch(
      () => undefined,
    )
    await answer?.body?.cancel()
    if (answer !== undefined) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`no answer from ${address}:${port}`)
}
