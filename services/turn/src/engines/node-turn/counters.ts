import type { AuthFailure, DropReason, Principal } from '../../core/index.ts'
import type { Sample } from '../../engine.ts'
import { AppLabels } from '../../metrics/app-labels.ts'
import type { Meter, RepairEvents } from './hooks.ts'
import { both, type NodeTurnUsage } from './usage.ts'

/** Upper bounds of `hairpin_allocation_seconds`, as the hairpin engine has them. */
const SECONDS = [1, 5, 15, 60, 300, 600, 1800, 3600, 14_400, 86_400]
/** Bytes of the IPv4 and UDP headers of one datagram. */
const HEADERS = 28

interface Counter {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  value: number
}

/** The metrics of the hairpin engine, counted from outside of node-turn; its transport is always UDP over IPv4. */
export class Counters implements RepairEvents {
  readonly #counters = new Map<string, Counter>()
  readonly #apps = new AppLabels()
  /** Told the same of each allocation to come. */
  usage: NodeTurnUsage | undefined

  snapshot(): Sample[] {
    return [...this.#counters.values()].map((counter) => ({ ...counter }))
  }

  allocated(principal: Principal): Meter {
    const app = this.#apps.labelFor(principal.app)
    const start = performance.now()
    const live = this.#counter('hairpin_allocations', { transport: 'udp', family: 'ipv4', app })
    this.#counter('hairpin_allocations_total', { transport: 'udp', family: 'ipv4', app }).value++
    live.value++
    const egress = this.#counter('hairpin_relay_egress_bytes_total', { app })
    const out = this.#traffic('client_to_peer', app)
    const back = this.#traffic('peer_to_client', app)
    const meter: Meter = {
      clientToPeer(bytes, own) {
        out.bytes.value += bytes
        out.packets.value++
        if (!own) egress.value += bytes + HEADERS
      },
      peerToClient(bytes) {
        back.bytes.value += bytes
        back.packets.value++
      },
      sentToClient(bytes) {
        egress.value += bytes + HEADERS
      },
      ended: () => {
        live.value--
        this.#lived((performance.now() - start) / 1000)
      },
    }
    return this.usage ? both(meter, this.usage.allocated(principal)) : meter
  }

  answered(method: string, code: number): void {
    this.#counter('hairpin_stun_requests_total', { method, transport: 'udp', code: String(code) }).value++
  }

  authFailed(reason: AuthFailure): void {
    this.#counter('hairpin_auth_failures_total', { reason }).value++
  }

  dropped(reason: DropReason): void {
    this.#counter('hairpin_dropped_total', { reason }).value++
  }

  #traffic(direction: string, app: string) {
    const labels = { direction, transport: 'udp', app }
    return {
      bytes: this.#counter('hairpin_relay_bytes_total', labels),
      packets: this.#counter('hairpin_relay_packets_total', labels),
    }
  }

  #lived(seconds: number): void {
    for (const bound of [...SECONDS, Number.POSITIVE_INFINITY]) {
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound)
      this.#counter('hairpin_allocation_seconds_bucket', { le }).value += seconds <= bound ? 1 : 0
    }
    this.#counter('hairpin_allocation_seconds_sum', {}).value += seconds
    this.#counter('hairpin_allocation_seconds_count', {}).value++
  }

  #counter(name: string, labels: Readonly<Record<string, string>>): Counter {
    const key = [name, ...Object.values(labels)].join(' ')
    const known = this.#counters.get(key)
    if (known) return known
    const counter = { name, labels, value: 0 }
    this.#counters.set(key, counter)
    return counter
  }
}
