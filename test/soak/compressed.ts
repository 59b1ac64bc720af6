/**
 * Half an hour of a relay's life in seconds: the core on a clock that jumps from one second to the next, clients that come,
 * talk, move, go or vanish, a network that loses datagrams, and relayed sockets that sometimes cannot be opened. The
 * sockets are a double that keeps the books: every one that is opened must be closed, once.
 */
import type { ClientOutput, Endpoint, TurnClient } from '@hairpin/stun'
import type { Listener, Output } from '../../services/turn/src/core/index.ts'
import {
  createPeer,
  createPorts,
  createWorld,
  creditsOf,
  datagram,
  seededBytes,
  TCP,
  UDP,
  type World,
} from '../../services/turn/test/core/world.ts'
import { createRandom, type Random } from '../fuzz/mutate.ts'
import { usedMemory } from '../helpers/memory.ts'

export interface CompressedOptions {
  /** Of the simulated clock. */
  readonly seconds: number
  /** Clients at a time. */
  readonly clients: number
  readonly seed: number
}

export interface CompressedResult {
  /** Clients that came and went; the most allocations at a time; relayed sockets opened. */
  readonly clients: number
  readonly peak: number
  readonly opened: number
  readonly relayed: number
  /** Bytes in use at each sixth of the time. */
  readonly memory: readonly number[]
  /** Reasons why allocations ended. */
  readonly ends: Readonly<Record<string, number>>
  /** Left after everybody has gone: nothing. */
  readonly left: {
    readonly allocations: number
    readonly sockets: number
    readonly ports: number
    readonly quota: number
  }
  readonly idle: boolean
}

/** In thousandths. */
const LOSS = 10
const BIND_FAILURES = 20

export function runCompressed(options: CompressedOptions): CompressedResult {
  const simulation = new Simulation(options)
  const memory: number[] = []
  for (let second = 1; second <= options.seconds; second++) {
    simulation.tick()
    if (second % Math.ceil(options.seconds / 6) === 0) memory.push(usedMemory())
  }
  simulation.end()
  return { ...simulation.result(), memory }
}

/** Relayed sockets as a driver has them. */
class Sockets {
  readonly #open = new Map<string, number>()
  opened = 0

  get size(): number {
    return this.#open.size
  }

  open(output: Extract<Output, { type: 'openRelay' }>): void {
    const key = `${output.allocation} ${output.family}`
    if (this.#open.has(key)) throw new Error(`socket ${key} is opened twice`)
    if ([...this.#open.values()].includes(output.port)) throw new Error(`port ${output.port} is in use`)
    this.#open.set(key, output.port)
    this.opened++
  }

  close(output: Extract<Output, { type: 'closeRelay' }>): void {
    const key = `${output.allocation} ${output.family}`
    if (this.#open.get(key) !== output.port) throw new Error(`socket ${key} is closed and was not open`)
    this.#open.delete(key)
  }
}

interface Guest {
  readonly client: TurnClient
  readonly peers: readonly Endpoint[]
  readonly listener: Listener
  from: Endpoint
  /** Seconds of the simulation at which it goes, and how. */
  readonly until: number
  readonly leaves: 'politely' | 'silently'
  readonly moves: boolean
  talks: boolean
}

class Simulation {
  readonly #world: World
  readonly #random: Random
  readonly #sockets = new Sockets()
  readonly #guests: (Guest | undefined)[]
  readonly #ends: Record<string, number> = {}
  #second = 0
  #came = 0
  #peak = 0
  #relayed = 0

  constructor({ clients, seed }: CompressedOptions) {
    this.#random = createRandom(seed)
    this.#world = createWorld({
      ports: createPorts(50_000, 50_000 + 4 * clients),
      quotaLimit: 2 * clients,
      dualAllocation: true,
      credits: creditsOf(1e12),
      mobility: { key: seededBytes('mobility')(32), worker: 0 },
      limits: { nonceLifetime: 300 },
    })
    this.#guests = new Array(clients).fill(undefined)
  }

  /** One second: who is due speaks, some come, some go; at its end the books must balance. */
  tick(): void {
    const { clock, server } = this.#world
    this.#second++
    clock.now += 1000
    while (server.nextDeadline <= clock.now) this.#perform(server.handleTimeout(clock.now))
    for (let i = 0; i < this.#guests.length; i++) {
      const guest = this.#guests[i]
      if (!guest) {
        if (this.#random(10) === 0) this.#guests[i] = this.#arrive(i)
      } else if (guest.until <= this.#second) {
        this.#leave(guest)
        this.#guests[i] = undefined
      } else this.#live(guest)
    }
    this.#peak = Math.max(this.#peak, server.allocations.size)
    this.#balance()
    for (const list of Object.values(this.#world.events)) list.length = 0
  }

  /** Nobody speaks any more: the clock runs until nothing is due. */
  end(): void {
    const { clock, server } = this.#world
    this.#guests.fill(undefined)
    while (server.nextDeadline < Number.POSITIVE_INFINITY) {
      clock.now = Math.max(clock.now, server.nextDeadline)
      this.#perform(server.handleTimeout(clock.now))
    }
  }

  result(): Omit<CompressedResult, 'memory'> {
    const { server, ports, quota } = this.#world
    return {
      clients: this.#came,
      peak: this.#peak,
      opened: this.#sockets.opened,
      relayed: this.#relayed,
      ends: this.#ends,
      left: {
        allocations: server.allocations.size,
        sockets: this.#sockets.size,
        ports: ports.liveCount,
        quota: quota.used,
      },
      idle: server.nextDeadline === Number.POSITIVE_INFINITY,
    }
  }

  #arrive(slot: number): Guest {
    const random = this.#random
    const listener = random(4) === 0 ? TCP : UDP
    const from = this.#place(slot)
    const moves = random(5) === 0
    const { client } = createPeer(this.#world, from, {
      keepAlive: true,
      reliable: listener === TCP,
      sha256: random(3) === 0,
      mobility: moves,
      ...(random(6) === 0 && { dual: true }),
      ...(random(6) === 0 && { evenPort: { reserve: false } }),
      ...(random(3) === 0 && { lifetime: 600 + random(1200) }),
    })
    const guest: Guest = {
      client,
      from,
      listener,
      peers: Array.from({ length: random(5) }, (_, i) => ({
        address: `8.8.${slot % 256}.${i}`,
        port: 5000 + i,
        family: 4,
      })),
      until: this.#second + 5 + random(900),
      leaves: random(2) === 0 ? 'politely' : 'silently',
      moves,
      talks: false,
    }
    this.#came++
    this.#carry(guest, client.allocate(this.#world.clock.now))
    return guest
  }

  /** A new port each time, as NATs give them; the address of the slot. */
  #place(slot: number): Endpoint {
    return { address: `100.64.${slot >> 8}.${slot & 255}`, port: 1024 + this.#random(60_000), family: 4 }
  }

  #live(guest: Guest): void {
    const { client, peers } = guest
    const { now } = this.#world.clock
    if (client.nextDeadline <= now) this.#carry(guest, client.handleTimeout(now))
    if (!client.relayed) return
    if (!guest.talks) {
      guest.talks = true
      peers.forEach((peer, i) => {
        this.#carry(guest, i % 2 === 0 ? client.channelBind(peer, now) : client.createPermission([peer], now))
      })
    }
    const peer = peers[this.#random(5)]
    // What would be ChannelData is for the data path; the core relays Send indications.
    if (peer && this.#random(4) === 0) this.#deliver(guest, client.send({ ...peer, port: 9 }, Buffer.from('payload')))
    if (guest.moves && this.#random(120) === 0) {
      guest.from = this.#place(this.#guests.indexOf(guest))
      this.#carry(guest, client.move(now))
    }
  }

  #leave(guest: Guest): void {
    const { server, clock } = this.#world
    if (guest.leaves === 'politely') this.#carry(guest, guest.client.close(clock.now))
    if (guest.listener === TCP) this.#perform(server.disconnected(TCP, guest.from, clock.now))
  }

  /** Carries what a client says to the server and the answers back, as far as the network lets it. */
  #carry(guest: Guest, outputs: readonly ClientOutput[]): void {
    const queue = [...outputs]
    for (let output = queue.shift(); output; output = queue.shift()) {
      if (output.type !== 'send') continue
      for (const answer of this.#deliver(guest, output.bytes))
        queue.push(...guest.client.receive(datagram(answer), this.#world.clock.now))
    }
  }

  #deliver({ listener, from }: Guest, bytes: Uint8Array): Uint8Array[] {
    const { server, clock } = this.#world
    const lost = () => listener === UDP && this.#random(1000) < LOSS
    if (lost()) return []
    return this.#perform(server.receive(datagram(bytes), listener, from, clock.now)).filter(() => !lost())
  }

  /** As a driver does; gives what goes to clients. */
  #perform(outputs: readonly Output[]): Uint8Array[] {
    const { server, clock } = this.#world
    const sent: Uint8Array[] = []
    const queue = [...outputs]
    for (let output = queue.shift(); output; output = queue.shift()) {
      if (output.type === 'send') sent.push(output.bytes)
      else if (output.type === 'relay') this.#relayed++
      else if (output.type === 'closeRelay') {
        this.#sockets.close(output)
        this.#ends[output.reason] = (this.#ends[output.reason] ?? 0) + 1
      } else if (output.type === 'openRelay') {
        if (this.#random(1000) < BIND_FAILURES) {
          queue.unshift(...server.relayFailed(output.allocation, output.family, clock.now))
          continue
        }
        this.#sockets.open(output)
        queue.unshift(...server.relayOpened(output.allocation, output.family, clock.now))
      }
    }
    return sent
  }

  #balance(): void {
    const { server, quota } = this.#world
    let relays = 0
    for (const allocation of server.allocations) relays += allocation.relays.length
    if (relays !== this.#sockets.size) throw new Error(`${relays} relayed addresses, ${this.#sockets.size} sockets`)
    if (server.allocations.size !== quota.used)
      throw new Error(`${server.allocations.size} allocations, ${quota.used} counted`)
  }
}
