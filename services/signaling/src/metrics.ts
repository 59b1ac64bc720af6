import { clientSchemas, type SignalingErrorCode, serverSchemas } from '@hairpin/protocol'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { CallOutcome, Report, ResumeResult } from './core/output.ts'

/** What the gauges read when they are scraped. */
export interface Live {
  connections(): number
  detached(): number
  users(): number
  calls(): { ringing: number; connected: number }
  rooms(): { rooms: number; members: number }
  agents(): number
  /** Undefined: no service brings customers' calls. */
  deskReachable(): boolean | undefined
}

const knownTypes = new Set<string>([...Object.keys(clientSchemas), ...Object.keys(serverSchemas), 'invalid'])

/** The signaling service's metrics, docs/METRICS.md. Labels come from fixed sets: no names, no types that clients make up. */
export class SignalingMetrics {
  /** Counted here and told when asked: a counter with labels costs more than passing the message on. */
  readonly #messages = { in: new Map<string, number>(), out: new Map<string, number>() }
  readonly #calls: Counter<'outcome'>
  readonly #setup: Histogram
  readonly #errors: Counter<'code'>
  readonly #pushes: Counter<'kind' | 'result'>
  readonly #resumes: Counter<'result'>

  constructor(registry: Registry, live: Live) {
    const registers = [registry]
    new Gauge({
      name: 'hairpin_signaling_connections',
      help: 'Open WebSocket connections.',
      registers,
      collect() {
        this.set(live.connections())
      },
    })
    new Gauge({
      name: 'hairpin_signaling_detached_sessions',
      help: 'Sessions that lost their connection and may be resumed.',
      registers,
      collect() {
        this.set(live.detached())
      },
    })
    new Gauge({
      name: 'hairpin_signaling_users',
      help: 'Users that have joined, those between two connections included.',
      registers,
      collect() {
        this.set(live.users())
      },
    })
    new Gauge({
      name: 'hairpin_calls',
      help: 'Calls at present, by state: ringing or connected.',
      labelNames: ['state'],
      registers,
      collect() {
        for (const [state, count] of Object.entries(live.calls())) this.set({ state }, count)
      },
    })
    new Gauge({
      name: 'hairpin_rooms',
      help: 'Rooms at present.',
      registers,
      collect() {
        this.set(live.rooms().rooms)
      },
    })
    new Gauge({
      name: 'hairpin_room_members',
      help: 'Members of all rooms.',
      registers,
      collect() {
        this.set(live.rooms().members)
      },
    })
    new Gauge({
      name: 'hairpin_signaling_agents',
      help: "Agents who take customers' calls on a connected device.",
      registers,
      collect() {
        this.set(live.agents())
      },
    })
    if (live.deskReachable() !== undefined)
      new Gauge({
        name: 'hairpin_signaling_desk_up',
        help: "Whether the service that brings customers' calls can be reached.",
        registers,
        collect() {
          this.set(live.deskReachable() ? 1 : 0)
        },
      })
    const messages = this.#messages
    new Counter({
      name: 'hairpin_signaling_messages_total',
      help: 'Messages by type (made-up types are "other") and direction (in: from clients, out: to clients).',
      labelNames: ['type', 'direction'],
      registers,
      collect() {
        this.reset()
        for (const direction of ['in', 'out'] as const)
          for (const [type, count] of messages[direction]) this.inc({ type, direction }, count)
      },
    })
    this.#calls = new Counter({
      name: 'hairpin_calls_total',
      help: 'Calls that ended, by outcome.',
      labelNames: ['outcome'],
      registers,
    })
    const outcomes: Record<CallOutcome, true> = {
      completed: true,
      dropped: true,
      cancelled: true,
      rejected: true,
      busy: true,
      offline: true,
      'no-answer': true,
      abandoned: true,
    }
    for (const outcome of Object.keys(outcomes)) this.#calls.inc({ outcome }, 0)
    this.#setup = new Histogram({
      name: 'hairpin_call_setup_seconds',
      help: 'From the offer to the answer, including the time until somebody picks up.',
      buckets: [0.25, 0.5, 1, 2, 5, 10, 20, 30, 60],
      registers,
    })
    this.#resumes = new Counter({
      name: 'hairpin_signaling_resumes_total',
      help: 'Attempts to go on with a session, and sessions whose time of grace ran out, by result.',
      labelNames: ['result'],
      registers,
    })
    const results: Record<ResumeResult, true> = {
      resumed: true,
      'taken-over': true,
      unknown: true,
      gap: true,
      expired: true,
    }
    for (const result of Object.keys(results)) this.#resumes.inc({ result }, 0)
    this.#pushes = new Counter({
      name: 'hairpin_pushes_total',
      help: 'Pushes to wake devices, by kind of endpoint and result.',
      labelNames: ['kind', 'result'],
      registers,
    })
    this.#errors = new Counter({
      name: 'hairpin_signaling_errors_total',
      help: 'Refused messages, connections and closed sockets, by error code.',
      labelNames: ['code'],
      registers,
    })
  }

  report(report: Report): void {
    if (report.kind === 'received') add(this.#messages.in, report.type)
    else if (report.kind === 'error') this.#errors.inc({ code: report.code })
    else if (report.kind === 'call-answered') this.#setup.observe(report.setupMs / 1000)
    else if (report.kind === 'resume') this.#resumes.inc({ result: report.result })
    else this.#calls.inc({ outcome: report.outcome })
  }

  sent(type: string): void {
    add(this.#messages.out, type)
  }

  pushed(kind: 'web' | 'fcm' | 'apns', result: 'sent' | 'gone' | 'failed'): void {
    this.#pushes.inc({ kind, result })
  }

  error(code: SignalingErrorCode): void {
    this.#errors.inc({ code })
  }
}

function add(counts: Map<string, number>, type: string): void {
  const bounded = knownTypes.has(type) ? type : 'other'
  counts.set(bounded, (counts.get(bounded) ?? 0) + 1)
}
