/** Pairs of clients in calls that send each other candidates, counted and timed. */
import { Histogram } from '../../load/histogram.ts'
import { pinned } from '../../measure/children.ts'
import { cpuSeconds, machineSeconds } from '../../measure/cpu.ts'
import type { Running } from '../contenders/contender.ts'
import type { Client, Receiver } from './client.ts'
import { STAMP, seqAt, Template, timeAt } from './frame.ts'
import { call, joinAll } from './join.ts'
import type { Who } from './people.ts'

/** As a browser writes them; some 200 bytes as a message. */
const candidate = `candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx ufrag ${STAMP} network-cost 10`
/** Nothing came for so long: the rest is lost. */
const IDLE_MS = 5_000
const nowUs = () => Math.floor(performance.now() * 1e3)

export interface Window {
  readonly seconds: number
  readonly received: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** CPU of the server for each message that arrived, µs. */
  readonly cpuUs: number
  readonly serverCores: number
  readonly generatorCores: number
  /** Cores kept busy by neither server nor generator, and those that the hypervisor took. */
  readonly foreignCores: number
  readonly stolenCores: number
}

class Tally {
  sent = 0
  received = 0
  /** `received` as it was when nothing was under way. */
  settled = 0
  /** Not the number that was next: after a lost one, a repeated one, or one that overtook. */
  wrong = 0
  maxUs = 0
  histogram = new Histogram()
}

/** What one client says to another, and what of it arrives. */
class Flow implements Receiver {
  readonly #from: Client
  readonly #template: Template
  readonly #tally: Tally
  #sent = 0
  #next = 1
  #arrived = 0
  /** Each arrival is answered by this one, when there is one. */
  answer: Flow | undefined

  constructor(from: Client, template: Template, tally: Tally) {
    this.#from = from
    this.#template = template
    this.#tally = tally
  }

  send(count: number): void {
    this.#from.write(this.#template.stamped(count, this.#sent + 1, nowUs()))
    this.#sent += count
    this.#tally.sent += count
  }

  stamped(bytes: Buffer, stamp: number): void {
    const tally = this.#tally
    const seq = seqAt(bytes, stamp)
    if (seq !== this.#next) tally.wrong++
    this.#next = seq + 1
    tally.received++
    const us = nowUs() - timeAt(bytes, stamp)
    if (us > tally.maxUs) tally.maxUs = us
    tally.histogram.add(us * 1e3)
    this.#arrived++
  }

  chunk(): void {
    const arrived = this.#arrived
    this.#arrived = 0
    if (arrived > 0) this.answer?.send(arrived)
  }
}

export class Talk {
  readonly #running: Running
  readonly #clients: readonly Client[]
  readonly #flows: Flow[] = []
  readonly #tally = new Tally()

  /** @param clients two by two, in calls */
  constructor(running: Running, clients: readonly Client[], whos: readonly Who[]) {
    this.#running = running
    this.#clients = clients
    const { dialect } = running.contender
    for (const [i, client] of clients.entries()) {
      const flow = new Flow(client, new Template(dialect.candidate(whos[i ^ 1]!, candidate)), this.#tally)
      this.#flows.push(flow)
      clients[i ^ 1]!.receiver = flow
    }
  }

  /** Each flow keeps `inFlight` messages under way: whatever arrives is answered at once. Ends with `settle`. */
  saturate(inFlight: number): void {
    for (const [i, flow] of this.#flows.entries()) flow.answer = this.#flows[i ^ 1]!
    for (const flow of this.#flows) flow.send(inFlight)
  }

  /** Messages at a rate, evenly, over all flows in turn; the result ends it. */
  pace(rate: number): () => void {
    let due = performance.now()
    let turn = 0
    let stopped = false
    const step = () => {
      if (stopped) return
      for (const now = performance.now(); due <= now; due += 1e3 / rate)
        this.#flows[turn++ % this.#flows.length]!.send(1)
      // On a core of its own it polls, so that messages go out one by one.
      if (pinned) setImmediate(step)
      else setTimeout(step, 1)
    }
    step()
    return () => {
      stopped = true
    }
  }

  /** What happens while `during` lasts, for as long as it talks. */
  async window(during: () => Promise<unknown>): Promise<Window> {
    const tally = this.#tally
    tally.histogram = new Histogram()
    tally.maxUs = 0
    const before = tally.received
    const from = this.#edge()
    await during()
    const to = this.#edge()
    const seconds = to.at - from.at
    const received = tally.received - before
    const server = to.server - from.server
    const own = to.own - from.own
    return {
      seconds,
      received,
      p50: tally.histogram.percentile(0.5),
      p99: tally.histogram.percentile(0.99),
      max: tally.maxUs,
      cpuUs: (server * 1e6) / received,
      serverCores: server / seconds,
      generatorCores: own / seconds,
      foreignCores: Math.max(0, (to.machine.busy - from.machine.busy - server - own) / seconds),
      stolenCores: (to.machine.steal - from.machine.steal) / seconds,
    }
  }

  /** Nobody sends any more; waits for what is under way. What arrived, was lost, and came wrong since the last time. */
  async settle(): Promise<{ arrived: number; lost: number; wrong: number }> {
    const tally = this.#tally
    for (const flow of this.#flows) flow.answer = undefined
    for (let seen = -1, until = 0; tally.received < tally.sent; ) {
      if (tally.received !== seen) until = performance.now() + IDLE_MS
      seen = tally.received
      if (performance.now() > until) break
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const result = { arrived: tally.received - tally.settled, lost: tally.sent - tally.received, wrong: tally.wrong }
    tally.sent = tally.settled = tally.received
    tally.wrong = 0
    return result
  }

  end(): void {
    for (const client of this.#clients) client.end()
  }

  #edge() {
    const { user, system } = process.cpuUsage()
    return {
      at: performance.now() / 1e3,
      server: cpuSeconds(this.#running.pid),
      own: (user + system) / 1e6,
      machine: machineSeconds(),
    }
  }
}

/** Pairs in calls. @param whos two by two of one app */
export async function talkOf(running: Running, whos: readonly Who[]): Promise<Talk> {
  const clients = await joinAll(running, whos)
  for (let i = 0; i + 1 < whos.length; i += 2)
    await call(running, { who: whos[i]!, client: clients[i]! }, { who: whos[i + 1]!, client: clients[i + 1]! })
  return new Talk(running, clients, whos)
}
