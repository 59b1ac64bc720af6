/**
 * A real relay under clients that come and go: over UDP, TCP and TLS, relaying to an echoing peer all the while; some say
 * goodbye, some break off, some just fall silent until their credential ends. Everything on loopback, in number bounded.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { Endpoint } from '@hairpin/stun'
import { mintCredential } from '../../services/turn/src/index.ts'
import { bindUdp } from '../../services/turn/src/net/udp-socket.ts'
import { CertificateFolder } from '../../services/turn/test/support/certificates.ts'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { StreamRelayClient } from '../../services/turn/test/support/stream-client.ts'
import { sleep, until } from '../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../helpers/relay-process.ts'

export interface LiveOptions {
  readonly seconds: number
  /** At a time. */
  readonly clients: number
}

export interface LiveResult {
  /** Calls that were made; what they sent and what came back to them. */
  readonly calls: number
  readonly sent: number
  readonly echoed: number
  /** Errors of calls: there should be none. */
  readonly failures: readonly string[]
  /** What the relay dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  readonly peak: { readonly allocations: number; readonly descriptors: number }
  /** Before the first call but one, and when all is over. */
  readonly before: Usage
  readonly after: Usage
  /** Resident MiB each second. */
  readonly resident: readonly number[]
}

interface Usage {
  readonly allocations: number
  readonly descriptors: number
}

const SERVER = '127.0.0.1'
const PEER = '127.0.0.2'
const secret = 'a-shared-secret-of-the-soak'
/** Milliseconds between packets of a call. */
const PACE = 50
/** Seconds that a credential lives beyond its call: of those who fall silent, whose allocation ends by it, and of others. */
const LEFTOVER = 5
const PLENTY = 60

export async function runLive({ seconds, clients }: LiveOptions): Promise<LiveResult> {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-soak-'))
  const certificates = new CertificateFolder()
  const { cert, key } = certificates.make('relay')
  const echo = echoingPeer()
  const relay = await startRelay(folder, {
    HAIRPIN_TURN_SECRETS: secret,
    HAIRPIN_PEER_ALLOW: PEER,
    HAIRPIN_CREDENTIAL_EXPIRY: 'disconnect',
    HAIRPIN_USER_QUOTA: '0',
    HAIRPIN_CHALLENGE_RATE: '0',
    HAIRPIN_TLS_CERT: cert,
    HAIRPIN_TLS_KEY: key,
  })
  try {
    return await new Soak(relay, echo.endpoint).run(seconds, clients)
  } finally {
    await relay.stop()
    echo.close()
    certificates.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

function echoingPeer(): { endpoint: Endpoint; close: () => void } {
  const socket = bindUdp({ address: PEER, port: 0, family: 4, bufferSize: 1024 * 1024 })
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address))
  return { endpoint: { address: PEER, port: socket.address().port, family: 4 }, close: () => socket.close() }
}

class Soak {
  readonly #relay: RelayProcess
  readonly #peer: Endpoint
  readonly #failures: string[] = []
  readonly #silent: Promise<void>[] = []
  #calls = 0
  #sent = 0
  #echoed = 0

  constructor(relay: RelayProcess, peer: Endpoint) {
    this.#relay = relay
    this.#peer = peer
  }

  async run(seconds: number, clients: number): Promise<LiveResult> {
    // One call of each kind, so that all that is made once has been made.
    for (const [i, [, ending]] of KINDS.entries()) if (ending !== 'falls silent') await this.#call(i, 0.2)
    await this.#empty()
    const before = await this.#usage()
    const end = performance.now() + seconds * 1000
    const watch = this.#watch(end)
    await Promise.all(Array.from({ length: clients }, (_, i) => this.#guest(i, end)))
    await Promise.all(this.#silent)
    const { peak, resident } = await watch
    await this.#empty()
    // Closed descriptors of TCP clients may linger for a moment.
    const after = await until('descriptors are closed', async () => {
      const usage = await this.#usage()
      return usage.descriptors <= before.descriptors ? usage : undefined
    }).catch(() => this.#usage())
    const dropped = await this.#dropped()
    const [calls, sent, echoed, failures] = [this.#calls, this.#sent, this.#echoed, this.#failures]
    return { calls, sent, echoed, failures, dropped, peak, before, after, resident }
  }

  async #guest(index: number, end: number): Promise<void> {
    await sleep((index * 37) % 1000)
    for (let round = index; performance.now() < end; round++) {
      const seconds = Math.min(1 + (round % 5), (end - performance.now()) / 1000)
      const started = performance.now()
      await this.#call(round, Math.max(seconds, 0.1)).catch((error) => {
        const age = ((performance.now() - started) / 1000).toFixed(1)
        this.#failures.push(`${KINDS[round % KINDS.length]} call of ${seconds.toFixed(1)} s, after ${age} s: ${error}`)
      })
    }
  }

  async #call(round: number, seconds: number): Promise<void> {
    const [transport, ending] = KINDS[round % KINDS.length]!
    this.#calls++
    const expiry = Math.floor(Date.now() / 1000 + seconds + (ending === 'falls silent' ? LEFTOVER : PLENTY))
    const credentials = mintCredential({ secret, app: 'shop', user: `guest-${round}`, expiry })
    const client = await this.#connect(transport, credentials)
    try {
      await client.allocate()
      await client.bind()
      for (const over = performance.now() + seconds * 1000; performance.now() < over; ) {
        this.#sent++
        client.send(`packet ${this.#sent}`)
        await client.echo()
        this.#echoed++
        await sleep(PACE)
      }
      if (ending === 'goodbye') await client.release()
    } finally {
      // Whoever falls silent keeps its port until its allocation is gone: another client there would draw 437.
      if (ending === 'falls silent') this.#silent.push(sleep((LEFTOVER + 2) * 1000).then(() => void client.close()))
      else client.close()
    }
  }

  async #connect(transport: Transport, { username, credential }: { username: string; credential: string }) {
    const { port, tlsPort } = this.#relay
    const peer = this.#peer
    if (transport === 'udp') {
      const client = new RelayClient({ address: SERVER, port }, { username, password: credential })
      return {
        allocate: () => client.allocate(),
        bind: () => client.bind(peer),
        send: (text: string) => client.send(peer, text),
        echo: () => client.receive(),
        release: () => client.release(),
        close: () => client.close(),
      }
    }
    const socket =
      transport === 'tcp'
        ? connect({ host: SERVER, port, noDelay: true })
        : connectTls({ host: SERVER, port: tlsPort, rejectUnauthorized: false })
    const client = new StreamRelayClient(socket, { username, credential })
    return {
      allocate: () => client.allocate(),
      bind: () => client.bind(peer),
      send: (text: string) => client.send(peer, Buffer.from(text)),
      echo: () => client.receive(),
      release: () => client.release(),
      close: () => socket.destroy(),
    }
  }

  async #watch(end: number): Promise<Pick<LiveResult, 'peak' | 'resident'>> {
    const resident: number[] = []
    const peak = { allocations: 0, descriptors: 0 }
    while (performance.now() < end) {
      await sleep(1000)
      resident.push(residentMebibytes(this.#relay.pid))
      const { allocations, descriptors } = await this.#usage()
      peak.allocations = Math.max(peak.allocations, allocations)
      peak.descriptors = Math.max(peak.descriptors, descriptors)
    }
    return { peak, resident }
  }

  #empty(): Promise<true> {
    return until('all allocations have ended', async () => ((await this.#usage()).allocations === 0 ? true : undefined))
  }

  async #dropped(): Promise<Record<string, number>> {
    const metrics = await this.#relay.metrics()
    const lines = metrics.matchAll(/^hairpin_dropped_total\{.*reason="([\w-]+)".*\} ([1-9]\d*)/gm)
    return Object.fromEntries([...lines].map(([, reason, count]) => [reason, Number(count)]))
  }

  async #usage(): Promise<Usage> {
    const metrics = await this.#relay.metrics()
    const values = [...metrics.matchAll(/^hairpin_allocations\{.*\} (\d+)/gm)].map(([, value]) => Number(value))
    const descriptors = readdirSync(`/proc/${this.#relay.pid}/fd`).length
    return { allocations: values.reduce((sum, value) => sum + value, 0), descriptors }
  }
}

type Transport = 'udp' | 'tcp' | 'tls'
const KINDS: readonly (readonly [Transport, 'goodbye' | 'breaks off' | 'falls silent'])[] = [
  ['udp', 'goodbye'],
  ['tcp', 'goodbye'],
  ['udp', 'falls silent'],
  ['tls', 'goodbye'],
  ['udp', 'goodbye'],
  ['tcp', 'breaks off'],
  ['tls', 'breaks off'],
]

function residentMebibytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
