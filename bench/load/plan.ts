/**
 * What both data-phase programs (blaster.ts, blaster.c) read and print.
 *
 * A plan is a set of ends (UDP sockets). Each sends a numbered stream of datagrams `prefix + stamp + filler` to `to`,
 * and what it sends must arrive at the end `sink`. The sends go round-robin over the ends, evenly paced.
 * The stamp, in the machine's byte order: sequence number u32, send time f64 in µs, index of the sending end u32.
 *
 * Input (stdin): `payload rate warmMs seconds spin count`, then a line per end:
 * `bindHost bindPort toHost toPort prefixHex|- expect sink`.
 * Output (stdout): `begin` and `end` at the edges of the measured window, then one line of JSON (`BlastResult`).
 */
import type { Endpoint } from '@hairpin/stun'

/** How the stamp is found in what arrives; `binding` puts its first 12 bytes where the transaction id goes. */
export type Expect = 'bare' | 'channel' | 'data' | 'binding'

export type Address = Pick<Endpoint, 'address' | 'port'>

export interface End {
  readonly bind: Address
  readonly to: Address
  readonly prefix: Uint8Array
  readonly expect: Expect
  readonly sink: number
}

export interface Plan {
  /** Bytes of payload, at least 16: the stamp is part of it. */
  readonly payload: number
  /** Packets per second, all ends together. */
  readonly rate: number
  readonly warmMs: number
  readonly seconds: number
  /** Poll without sleeping: exact pacing, for a generator with a core of its own. */
  readonly spin: boolean
  readonly ends: readonly End[]
}

/** Counts of the measured window. */
export interface BlastResult {
  readonly sent: number
  readonly received: number
  readonly duplicates: number
  /** Arrived at another end than the one meant. */
  readonly misrouted: number
  /** Wrong length, wrong framing or an unknown sequence number. */
  readonly corrupt: number
  readonly sendErrors: number
  readonly seconds: number
  /** Share of one core that the generator used; a spinning one always shows 1. */
  readonly generatorCpu: number
  /** One way, sender to receiver, µs. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function formatPlan(plan: Plan): string {
  const { payload, rate, warmMs, seconds, spin, ends } = plan
  const lines = ends.map(({ bind, to, prefix, expect, sink }) => {
    const hex = prefix.length === 0 ? '-' : Buffer.from(prefix).toString('hex')
    return `${bind.address} ${bind.port} ${to.address} ${to.port} ${hex} ${expect} ${sink}`
  })
  return `${[`${payload} ${rate} ${warmMs} ${seconds} ${spin ? 1 : 0} ${ends.length}`, ...lines].join('\n')}\n`
}

export function parsePlan(text: string): Plan {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  const [payload = 0, rate = 0, warmMs = 0, seconds = 0, spin = 0] = head.split(' ').map(Number)
  const ends = lines.map((line): End => {
    const [bindHost = '', bindPort, toHost = '', toPort, hex = '-', expect, sink] = line.split(' ')
    return {
      bind: { address: bindHost, port: Number(bindPort) },
      to: { address: toHost, port: Number(toPort) },
      prefix: hex === '-' ? new Uint8Array() : Buffer.from(hex, 'hex'),
      expect: expect as Expect,
      sink: Number(sink),
    }
  })
  return { payload, rate, warmMs, seconds, spin: spin === 1, ends }
}
