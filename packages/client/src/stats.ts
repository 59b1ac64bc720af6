import { Emitter } from './emitter.ts'
import { readSelectedPair, type SelectedPair, type StatsEntry, type StatsReport, selectedPairEntry } from './pair.ts'
import { systemTimers, Timer, type Timers } from './timers.ts'

export interface CallStatsSample {
  /** Milliseconds, by the injected clock. */
  readonly at: number
  readonly pair?: SelectedPair
  /** Bits per second on the selected path since the sample before; undefined on the first one and after a change of path. */
  readonly bitrateIn?: number
  readonly bitrateOut?: number
  /** On the path since it was opened: the payload of its packets, without IP, UDP and TURN headers. */
  readonly bytesIn: number
  readonly bytesOut: number
  readonly packetsIn: number
  readonly packetsOut: number
  readonly framesDecoded: number
  readonly framesSent: number
  /** Lost share of the RTP packets expected so far, 0 to 1. */
  readonly lossIn: number
}

export interface CallStatsOptions {
  readonly getStats: () => Promise<StatsReport>
  /** Milliseconds between samples; 1000 by default. */
  readonly interval?: number
  readonly timers?: Timers
}

interface Counters {
  readonly source: string
  readonly at: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly packetsIn: number
  readonly packetsOut: number
}

/** Samples a call's statistics. `update` carries each sample; `current` is the last. */
export class CallStats extends Emitter<{ update: [CallStatsSample] }> {
  readonly #options: CallStatsOptions
  readonly #timers: Timers
  readonly #timer: Timer
  #running = false
  #previous: Counters | undefined
  #current: CallStatsSample | undefined

  constructor(options: CallStatsOptions) {
    super()
    this.#options = options
    this.#timers = options.timers ?? systemTimers
    this.#timer = new Timer(this.#timers)
  }

  get current(): CallStatsSample | undefined {
    return this.#current
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#schedule()
  }

  stop(): void {
    this.#running = false
    this.#timer.clear()
  }

  /** Takes a sample now, outside the rhythm as well. */
  async sample(): Promise<CallStatsSample> {
    const report = await this.#options.getStats()
    const { sample, counters } = summarize(report, this.#timers.now(), this.#previous)
    this.#previous = counters
    this.#current = sample
    this.emit('update', sample)
    return sample
  }

  #schedule(): void {
    this.#timer.set(this.#options.interval ?? 1000, async () => {
      // A peer connection closed between two samples has no statistics; the call reports its own end.
      await this.sample().catch(() => undefined)
      if (this.#running) this.#schedule()
    })
  }
}

/** What one report says, compared with the counters of the report before. */
export function summarize(
  report: StatsReport,
  at: number,
  previous?: Counters,
): { readonly sample: CallStatsSample; readonly counters: Counters | undefined } {
  const pair = readSelectedPair(report)
  const counters = countersOf(report, at)
  const totals = mediaTotals(report)
  const seconds = previous && counters && previous.source === counters.source ? (at - previous.at) / 1000 : 0
  const rate = (now: number, before: number) => Math.max(0, Math.round(((now - before) * 8) / seconds))
  const sample: CallStatsSample = {
    at,
    bytesIn: counters?.bytesIn ?? 0,
    bytesOut: counters?.bytesOut ?? 0,
    packetsIn: counters?.packetsIn ?? 0,
    packetsOut: counters?.packetsOut ?? 0,
    framesDecoded: totals.framesDecoded,
    framesSent: totals.framesSent,
    lossIn: totals.lost + totals.received > 0 ? totals.lost / (totals.lost + totals.received) : 0,
    ...(pair ? { pair } : {}),
    ...(previous && counters && seconds > 0
      ? {
          bitrateIn: rate(counters.bytesIn, previous.bytesIn),
          bitrateOut: rate(counters.bytesOut, previous.bytesOut),
        }
      : {}),
  }
  return { sample, counters }
}

function countersOf(report: StatsReport, at: number): Counters | undefined {
  const pair = selectedPairEntry(report)
  if (!pair) return undefined
  return {
    source: pair.id,
    at,
    bytesIn: count(pair, 'bytesReceived'),
    bytesOut: count(pair, 'bytesSent'),
    packetsIn: count(pair, 'packetsReceived'),
    packetsOut: count(pair, 'packetsSent'),
  }
}

function mediaTotals(report: StatsReport) {
  const totals = { framesDecoded: 0, framesSent: 0, lost: 0, received: 0 }
  report.forEach((entry) => {
    if (entry.type === 'inbound-rtp') {
      totals.framesDecoded += count(entry, 'framesDecoded')
      totals.lost += Math.max(0, count(entry, 'packetsLost'))
      totals.received += count(entry, 'packetsReceived')
    } else if (entry.type === 'outbound-rtp') totals.framesSent += count(entry, 'framesSent')
  })
  return totals
}

function count(entry: StatsEntry, field: string): number {
  const value = entry[field]
  return typeof value === 'number' ? value : 0
}
