/** The check's driver on Node: sockets, `ws`, and the TURN client of packages/stun. */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { platform, release } from 'node:os'
import {
  type AllocateFacts,
  type CredentialsFacts,
  credentialsIn,
  type DateFacts,
  type Driver,
  endpointText,
  type HostAddresses,
  isLoopback,
  type Log,
  type LoopLink,
  type LoopOpening,
  type PortsFacts,
  type RelayTarget,
  type ServerFacts,
  SignalingProbe,
  type SocketFacts,
  type StunFacts,
  type StunTarget,
  type Trouble,
} from '@hairpin/checks'
import type { Endpoint } from '@hairpin/stun'
import { Allocation, answerLimit } from './allocation.ts'
import { askBindings, mappedOf } from './bindings.ts'
import { request } from './http.ts'
import { openSocket } from './signaling.ts'
import { RefusedError, TroubleError, troubleOf } from './trouble.ts'

export interface NodeDriverOptions {
  readonly origin: string
  /** API key or signaling token. */
  readonly bearer?: string | undefined
  /** Of a page whose part is played towards the signaling service. */
  readonly page?: string | undefined
  /** Send the key even to a server that did not prove who it is. */
  readonly insecure?: boolean
  /** Milliseconds in which the relay has to answer a request. */
  readonly answerLimit?: number | undefined
}

/** Milliseconds: between datagrams to a relayed address, of which there are so many. */
const KNOCK = 300
const KNOCKS = 10

export class NodeDriver implements Driver {
  readonly place = 'node'
  readonly by = `hairpin doctor, Node ${process.version} on ${platform()} ${release()}`
  readonly origin: string
  readonly secrets: readonly string[]
  readonly #options: NodeDriverOptions
  readonly #signaling = new SignalingProbe()
  readonly #hosts = new Map<string, Promise<HostAddresses>>()
  #proven = false

  constructor(options: NodeDriverOptions) {
    this.origin = options.origin
    this.secrets = options.bearer === undefined ? [] : [options.bearer]
    this.#options = options
  }

  async server(log: Log): Promise<ServerFacts> {
    const url = new URL('/healthz', this.origin)
    log(`GET ${url.href}`)
    try {
      const { status, ms, certificate } = await request(url)
      this.#proven = isLoopback(url.hostname) || (certificate !== undefined && certificate.problem === undefined)
      return { state: 'answered', status, ms, ...(certificate ? { certificate } : {}) }
    } catch (error) {
      return { state: 'trouble', trouble: told(error, log) }
    }
  }

  socket(log: Log): Promise<SocketFacts> {
    const { page } = this.#options
    const { url, socket, failed } = openSocket(this.origin, page)
    log(`connecting to ${url.href}${page ? ` as a page of ${page}` : ''}`)
    return this.#signaling.open(socket, failed, now, log)
  }

  guestCredentials(log: Log): Promise<CredentialsFacts> {
    return this.#signaling.guestCredentials(now, log)
  }

  async apiCredentials(log: Log): Promise<CredentialsFacts> {
    if (!this.#proven && !this.#options.insecure) return { state: 'withheld' }
    const url = new URL('/api/v1/turn/credentials', this.origin)
    log(`POST ${url.href}`)
    try {
      const headers = { authorization: `Bearer ${this.#options.bearer}`, 'content-type': 'application/json' }
      const { status, body, ms } = await request(url, { method: 'POST', headers, body: '{}' })
      return credentialsIn(status, body, ms)
    } catch (error) {
      return { state: 'trouble', trouble: told(error, log) }
    }
  }

  async date(log: Log): Promise<DateFacts> {
    const before = Date.now()
    try {
      const { headers } = await request(new URL('/healthz', this.origin))
      const server = Date.parse(headers.date ?? '')
      return Number.isNaN(server) ? { state: 'untold' } : { state: 'told', server, before, after: Date.now() }
    } catch (error) {
      told(error, log)
      return { state: 'untold' }
    }
  }

  async bindings(targets: readonly StunTarget[], log: Log): Promise<StunFacts> {
    const failed: StunFacts['answers'][number][] = []
    const destinations = await Promise.all(
      targets.map(async ({ url, host, port }) => {
        const addresses = await this.addressesOf(host)
        const all = [...addresses[4].slice(0, 1), ...addresses[6].slice(0, 1)]
        if (all.length === 0) failed.push({ url, problem: `the name ${host} is not known` })
        return all.map((address) => ({ url, address, port }))
      }),
    )
    for (const { problem } of failed) log(problem ?? '')
    const { answers, ...rest } = await askBindings(destinations.flat(), log)
    return { answers: [...failed, ...answers], ...rest }
  }

  /** Empty for a name that is not known. */
  addressesOf(host: string): Promise<HostAddresses> {
    const known = this.#hosts.get(host) ?? resolve(host)
    this.#hosts.set(host, known)
    return known
  }

  async allocate(target: RelayTarget, log: Log): Promise<AllocateFacts> {
    const from = performance.now()
    let allocation: Allocation | undefined
    try {
      allocation = await this.#open(target)
      const { relayed, mapped } = await allocation.allocate()
      const { server, certificate } = allocation.wire
      const facts = { relayed: textOf(relayed), mapped: textOf(mapped), server }
      log(`${server} gave ${facts.relayed} and sees this machine as ${facts.mapped}`)
      const ms = performance.now() - from
      return { state: 'allocated', ms, transport: target.transport, ...facts, ...(certificate ? { certificate } : {}) }
    } catch (error) {
      return refusedOrTrouble(error, log)
    } finally {
      await allocation?.end()
    }
  }

  async loop(target: RelayTarget, log: Log): Promise<LoopOpening> {
    const ends: Allocation[] = []
    const close = () => {
      for (const end of ends) void end.end()
    }
    try {
      const open = async () => {
        const end = await this.#open(target)
        ends.push(end)
        return { end, relayed: (await end.allocate()).relayed }
      }
      const [one, other] = [await open(), await open()]
      log(`two allocations, ${textOf(one.relayed)} and ${textOf(other.relayed)}`)
      await one.end.bind(other.relayed)
      await other.end.bind(one.relayed)
      return { state: 'open', transport: target.transport, link: linkOf(one, other, close) }
    } catch (error) {
      close()
      return refusedOrTrouble(error, log)
    }
  }

  async ports(target: RelayTarget, log: Log): Promise<PortsFacts> {
    const { 4: v4, 6: v6 } = await this.addressesOf(target.host)
    const family = v4.length > 0 ? 4 : 6
    const socket = createSocket(`udp${family}`).on('error', () => {})
    let allocation: Allocation | undefined
    try {
      const mapped = await mappedOf(socket, (v4[0] ?? v6[0])!, target.port)
      if (!mapped) return { state: 'denied' }
      allocation = await this.#open(target, family)
      const { relayed } = await allocation.allocate()
      // Of its own address the relay lets relayed ports through and no others.
      if (relayed.address === mapped.address) return { state: 'denied', address: mapped.address }
      return await knock({ socket, mapped, allocation, relayed }, log)
    } catch (error) {
      return { state: 'trouble', trouble: told(error, log) }
    } finally {
      await allocation?.end()
      socket.close()
    }
  }

  close(): void {
    this.#signaling.close()
  }

  async #open(target: RelayTarget, family?: 4 | 6): Promise<Allocation> {
    const address = await this.#addressFor(target)
    return await Allocation.open(target, address, this.#options.answerLimit ?? answerLimit, family)
  }

  async #addressFor({ host, family }: RelayTarget): Promise<string> {
    const addresses = await this.addressesOf(host)
    const address = family === undefined ? (addresses[4][0] ?? addresses[6][0]) : addresses[family][0]
    if (address === undefined) throw new TroubleError({ kind: 'name', text: `the name ${host} is not known` })
    return address
  }
}

interface Door {
  /** That a peer without a relay would have, and its address as others see it. */
  readonly socket: Socket
  readonly mapped: Endpoint
  readonly allocation: Allocation
  readonly relayed: Endpoint
}

/** Datagrams of our own to the relayed address, until the relay hands one on. */
async function knock({ socket, mapped, allocation, relayed }: Door, log: Log): Promise<PortsFacts> {
  try {
    await allocation.permit(mapped)
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    log(`the relay does not relay to ${mapped.address}: ${error.code} ${error.message}`)
    return { state: 'denied', address: mapped.address }
  }
  const token = randomBytes(16)
  const from = performance.now()
  log(`sending from ${textOf(mapped)} to ${textOf(relayed)}`)
  return await new Promise<PortsFacts>((resolve) => {
    let sent = 0
    const send = () => {
      if (sent++ === KNOCKS) return done({ state: 'silent', relayed: textOf(relayed) })
      socket.send(token, relayed.port, relayed.address)
    }
    const timer = setInterval(send, KNOCK)
    const done = (facts: PortsFacts) => {
      clearInterval(timer)
      resolve(facts)
    }
    allocation.onData = (payload) => {
      if (token.equals(payload)) done({ state: 'heard', ms: performance.now() - from, relayed: textOf(relayed) })
    }
    send()
  })
}

interface End {
  readonly end: Allocation
  readonly relayed: Endpoint
}

function linkOf(one: End, other: End, close: () => void): LoopLink {
  const link: LoopLink = {
    forward: (packet) => one.end.send(other.relayed, packet),
    back: (packet) => other.end.send(one.relayed, packet),
    onForward: undefined,
    onBack: undefined,
    close,
  }
  other.end.onData = (payload) => link.onForward?.(payload)
  one.end.onData = (payload) => link.onBack?.(payload)
  return link
}

function refusedOrTrouble(error: unknown, log: Log) {
  if (error instanceof RefusedError && error.code !== 0) {
    log(`the relay answered ${error.code} ${error.message}`)
    return { state: 'refused', code: error.code, reason: error.message } as const
  }
  return { state: 'trouble', trouble: told(error, log) } as const
}

function told(error: unknown, log: Log): Trouble {
  const trouble = troubleOf(error)
  log(trouble.text)
  return trouble
}

async function resolve(host: string): Promise<HostAddresses> {
  const literal = isIP(host)
  if (literal !== 0) return { 4: literal === 4 ? [host] : [], 6: literal === 6 ? [host] : [] }
  const all = await lookup(host, { all: true }).catch(() => [])
  const of = (family: 4 | 6) => all.filter((entry) => entry.family === family).map(({ address }) => address)
  return { 4: of(4), 6: of(6) }
}

function now(): number {
  return performance.now()
}

function textOf({ address, port }: Endpoint): string {
  return endpointText(address, port)
}
