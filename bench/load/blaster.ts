/** The data phase of the load generator in Node: a plan on stdin, the result on stdout (see plan.ts). */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { Attribute } from '@hairpin/stun'
import { Histogram } from './histogram.ts'
import { type BlastResult, type End, type Expect, type Plan, parsePlan } from './plan.ts'

const BURST = 32
/** What is late by more than this is given up: the rate reached is reported, no burst follows. */
const MAX_LAG_US = 50_000
/** As long as a starved server may be away: late is not lost. */
const SILENCE_US = 1_000_000
const SOCKET_BUFFER = 4 << 20

interface Stream {
  readonly socket: Socket
  readonly packet: Buffer
  readonly stampAt: number
  readonly seen: Uint8Array
  next: number
  first: number
}

const nowUs = () => performance.now() * 1e3

class Blaster {
  readonly #plan: Plan
  readonly #streams: Stream[] = []
  /** Index of the end whose packets arrive at end i. */
  readonly #source: number[] = []
  readonly #latency = new Histogram()
  readonly #count = { sent: 0, received: 0, duplicates: 0, misrouted: 0, corrupt: 0, sendErrors: 0 }
  #begun = false
  #heard = 0

  constructor(plan: Plan) {
    this.#plan = plan
  }

  async open(): Promise<void> {
    const { ends, rate, seconds, warmMs, payload } = this.#plan
    const expected = Math.ceil((rate * (seconds + warmMs / 1e3)) / ends.length) + 1024
    for (const [i, end] of ends.entries()) {
      this.#source[end.sink] = i
      const socket = await openSocket(end)
      socket.on('message', (bytes) => this.#take(i, bytes))
      const packet = template(end, payload, i)
      this.#streams.push({
        socket,
        packet,
        stampAt: end.prefix.length,
        seen: new Uint8Array(expected),
        next: 0,
        first: 0,
      })
    }
  }

  /** Paces, receives, and resolves once everything has arrived or nothing has for a while. */
  run(): Promise<BlastResult> {
    const { rate, warmMs, seconds, spin } = this.#plan
    const start = nowUs()
    const warm = start + warmMs * 1e3
    const stop = warm + seconds * 1e6
    const step = 1e6 / rate
    let due = start
    let turn = 0
    let ended = false
    let cpu = process.cpuUsage()
    return new Promise((resolve) => {
      const tick = () => {
        const now = nowUs()
        if (!this.#begun && now >= warm) {
          this.#begun = true
          for (const stream of this.#streams) stream.first = stream.next
          cpu = process.cpuUsage()
          process.stdout.write('begin\n')
        }
        if (!ended && now >= stop) {
          ended = true
          this.#heard = now
          cpu = process.cpuUsage(cpu)
          process.stdout.write('end\n')
        }
        if (now - due > MAX_LAG_US) due = now
        for (let i = 0; i < BURST && !ended && due <= now; i++, due += step) {
          this.#transmit(this.#streams[turn]!)
          turn = turn + 1 === this.#streams.length ? 0 : turn + 1
        }
        if (ended && (this.#count.received >= this.#count.sent || now - this.#heard > SILENCE_US)) {
          for (const { socket } of this.#streams) socket.close()
          const latency = this.#latency
          resolve({
            ...this.#count,
            seconds,
            generatorCpu: (cpu.user + cpu.system) / 1e6 / seconds,
            p50: latency.percentile(0.5),
            p99: latency.percentile(0.99),
            max: latency.percentile(1),
          })
        } else if (spin || due <= now) setImmediate(tick)
        else setTimeout(tick, 1)
      }
      tick()
    })
  }

  #transmit(stream: Stream): void {
    const at = stream.stampAt
    writeU32(stream.packet, at, stream.next++)
    writeTime(stream.packet, at + 4, nowUs())
    if (this.#begun) this.#count.sent++
    // The kernel takes it at once on loopback, so the buffer is free again on return.
    stream.socket.send(stream.packet)
  }

  #take(index: number, bytes: Buffer): void {
    const now = nowUs()
    this.#heard = now
    const { payload, ends } = this.#plan
    const expect = ends[index]!.expect
    const at = findStamp(bytes, expect, payload)
    if (at < 0) {
      this.#count.corrupt++
      return
    }
    const source = this.#source[index]!
    if (expect !== 'binding' && readU32(bytes, at + 12) !== source) {
      this.#count.misrouted++
      return
    }
    const from = this.#streams[source]!
    const sequence = readU32(bytes, at)
    if (sequence >= from.next) this.#count.corrupt++
    else if (from.seen[sequence] === 1) this.#count.duplicates++
    else {
      from.seen[sequence] = 1
      if (!this.#begun || sequence < from.first) return
      this.#count.received++
      this.#latency.add((now - readTime(bytes, at + 4)) * 1e3)
    }
  }
}

async function openSocket({ bind, to }: End): Promise<Socket> {
  const socket = createSocket('udp4')
  // A refused send (the server is gone) shows as loss.
  socket.on('error', () => {})
  socket.bind(bind.port, bind.address)
  await once(socket, 'listening')
  socket.setRecvBufferSize(SOCKET_BUFFER)
  socket.connect(to.port, to.address)
  await once(socket, 'connect')
  return socket
}

function template({ prefix, expect }: End, payload: number, index: number): Buffer {
  const length = prefix.length + (expect === 'binding' ? 12 : payload)
  // An indication's DATA attribute is padded.
  const packet = Buffer.alloc(prefix.length > 4 ? (length + 3) & ~3 : length)
  packet.set(prefix)
  if (expect !== 'binding') writeU32(packet, prefix.length + 12, index)
  return packet
}

/** Where the stamp starts in a datagram, or -1 when it is not what the end expects. */
function findStamp(bytes: Buffer, expect: Expect, payload: number): number {
  const length = bytes.length
  if (expect === 'binding') return length >= 20 && bytes[0] === 1 && bytes[1] === 1 ? 8 : -1
  if (expect === 'bare') return length === payload ? 0 : -1
  if (expect === 'channel') return length >= 4 + payload && bytes.readUInt16BE(2) === payload ? 4 : -1
  if (length < 20 || bytes[0] !== 0 || bytes[1] !== 0x17) return -1
  for (let at = 20; at + 4 <= length; ) {
    const size = bytes.readUInt16BE(at + 2)
    if (bytes.readUInt16BE(at) === Attribute.Data) return size === payload && at + 4 + size <= length ? at + 4 : -1
    at += 4 + ((size + 3) & ~3)
  }
  return -1
}

const scratch = new Float64Array(1)
const scratchBytes = new Uint8Array(scratch.buffer)

function writeTime(bytes: Buffer, at: number, time: number): void {
  scratch[0] = time
  for (let i = 0; i < 8; i++) bytes[at + i] = scratchBytes[i]!
}

function readTime(bytes: Buffer, at: number): number {
  for (let i = 0; i < 8; i++) scratchBytes[i] = bytes[at + i]!
  return scratch[0]!
}

function writeU32(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value, at)
}

function readU32(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at)
}

const blaster = new Blaster(parsePlan(await text(process.stdin)))
await blaster.open()
process.stdout.write(`${JSON.stringify(await blaster.run())}\n`)
