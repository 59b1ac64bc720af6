import type { DropReason, Principal } from '../../core/index.ts'
import type { AuthFailure } from '../../core/policies.ts'
import type { Sample } from '../../engine.ts'
import type { Meter, RepairEvents } from './repairs.ts'

/** Label values of `app` before the rest is counted as `other`. */
const MAX_APPS = 100

interface Counter {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  value: number
}

/** The metrics of the hairpin engine, counted from outside of node-turn; its transport is always UDP over IPv4. */
export class Counters implements RepairEvents {
  readonly #counters = new Map<string, Counter>()
  readonly #apps = new Set<string>()

  snapshot(): Sample[] {
    return [...this.#counters.values()].map((counter) => ({ ...counter }))
  }

  allocated({ app: name }: Principal): Meter {
    const app = this.#appLabel(name)
    const live = this.#counter('hairpin_allocations', { transport: 'udp', family: '4', app })
    this.#counter('hairpin_allocations_total', { transport: 'udp', family: '4', app }).value++
    live.value++
    const bytes = (direction: string) =>
      this.#counter('hairpin_relay_bytes_total', { direction, transport: 'udp', app })
    const packets = (direction: string) =>
      this.#counter('hairpin_relay_packets_total', { direction, transport: 'udp', app })
    const out = { bytes: bytes('client_to_peer'), packets: packets('client_to_peer') }
    const back = { bytes: bytes('peer_to_client'), packets: packets('peer_to_client') }
    return {
      clientToPeer: (size) => {
        out.bytes.value += size
        out.packets.value++
      },
      peerToClient: (size) => {
        back.bytes.value += size
        back.packets.value++
      },
      ended: () => {
        live.value--
      },
    }
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

  #appLabel(app: string): string {
    if (!this.#apps.has(app) && this.#apps.size >= MAX_APPS) return 'other'
    this.#apps.add(app)
    return app
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
