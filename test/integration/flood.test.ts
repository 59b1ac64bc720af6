/** A flood of unauthenticated requests from many addresses and ports, with a call going on beside it. */
import type { Socket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from '@hairpin/stun'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintCredential } from '../../services/turn/src/index.ts'
import { bindUdp } from '../../services/turn/src/net/udp-socket.ts'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { type Background, background, sleep, until } from '../helpers/exec.ts'

const main = join(import.meta.dirname, '..', '..', 'services', 'turn', 'src', 'main.ts')
const secret = 'a-shared-secret-of-the-test'
const loopback = '127.0.0.1'
const [turnPort, peerPort] = [33_478, 33_479]

const FLOOD = 200_000
/** Requests for each wake-up of the sender, and milliseconds between two: the pace of a flood of 10 Mbit/s. */
const [BATCH, PAUSE] = [160, 8]
const [PREFIXES, ADDRESSES, PORTS] = [8, 32, 2]

const folder = mkdtempSync(join(tmpdir(), 'hairpin-flood-'))
let relay: Background
const sockets: Socket[] = []

beforeAll(async () => {
  relay = background(process.execPath, [main], {
    HAIRPIN_DATA_DIR: folder,
    HAIRPIN_HTTP_SOCKET: join(folder, 'http.sock'),
    HAIRPIN_ADMIN_SOCKET: join(folder, 'admin.sock'),
    HAIRPIN_TURN_PORT: String(turnPort),
    HAIRPIN_TURN_SECRETS: secret,
    HAIRPIN_LISTEN_IPS: loopback,
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_PEER_ALLOW: '127.0.0.0/8',
    HAIRPIN_WORKERS: '1',
  })
  await until('the relay listens', async () => (relay.output().includes('relay listens') ? true : undefined))
})

afterAll(async () => {
  for (const socket of sockets) socket.close()
  await relay?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a flood of unauthenticated requests', () => {
  test('is answered within the budget, takes no memory, and costs a live call no packet', async () => {
    const call = await startCall()
    const flood = new Flood()
    // The process warms up: code is compiled, and the heap takes the size that it works with.
    await flood.send(FLOOD / 4)
    const [before, answered] = [residentBytes(), flood.answers]
    const started = performance.now()
    await flood.send(FLOOD)
    const seconds = (performance.now() - started) / 1000
    const after = residentBytes()
    const { sent, received } = await call.end()
    await sleep(200)

    const answers = flood.answers - answered
    // 100 challenges and 200 Binding answers a second for each prefix, and what came late of the warm-up.
    const budget = PREFIXES * (100 + 200) * (seconds + 1)
    console.log(
      `${FLOOD} requests in ${seconds.toFixed(1)} s: ${answers} answers, of ${budget.toFixed(0)} at most; ` +
        `memory ${((after - before) / 1024 ** 2).toFixed(1)} MiB more; the call sent ${sent} packets, ${received} came back`,
    )
    expect(answers).toBeGreaterThan(PREFIXES * 100)
    expect(answers).toBeLessThan(budget)
    expect(after - before).toBeLessThan(24 * 1024 ** 2)
    expect(sent).toBeGreaterThan(200)
    expect(received).toBe(sent)
    expect(relay.output()).not.toContain('TURN_WORKER')
  }, 60_000)
})

/** Fifty packets a second to a peer that echoes them. */
async function startCall() {
  const peerSocket = bindUdp({ address: '127.0.0.2', port: peerPort, family: 4, bufferSize: 1024 * 1024 })
  sockets.push(peerSocket)
  peerSocket.on('message', (bytes, from) => peerSocket.send(bytes, from.port, from.address))
  const peer: Endpoint = { address: '127.0.0.2', port: peerPort, family: 4 }
  const { username, credential } = mintCredential({
    secret,
    app: 'shop',
    user: 'ada',
    expiry: Math.floor(Date.now() / 1000) + 600,
  })
  const client = new RelayClient({ address: loopback, port: turnPort }, { username, password: credential })
  await client.allocate()
  await client.bind(peer)
  let [sent, received] = [0, 0]
  client.socket.on('message', (bytes) => {
    if ((bytes[0]! & 0xc0) === 0x40) received++
  })
  const timer = setInterval(() => {
    client.send(peer, `packet ${sent++}`)
  }, 20)
  return {
    async end() {
      clearInterval(timer)
      await sleep(300)
      client.close()
      return { sent, received }
    },
  }
}

class Flood {
  answers = 0
  #next = 0
  readonly #sources: Socket[] = []
  readonly #requests = [
    request(0x0001),
    request(0x0003, [0x0019, Buffer.from([17, 0, 0, 0])]),
    request(0x0003),
    // Refresh with a nonce that nobody gave.
    request(0x0004, [0x0006, Buffer.from('1999999999:shop/eve')], [0x0015, Buffer.alloc(40, 'x')]),
  ]

  constructor() {
    for (let prefix = 0; prefix < PREFIXES; prefix++)
      for (let host = 0; host < ADDRESSES; host++)
        for (let port = 0; port < PORTS; port++) {
          const socket = bindUdp({ address: `127.66.${prefix}.${host + 1}`, port: 0, family: 4 })
          socket.on('message', () => this.answers++)
          this.#sources.push(socket)
          sockets.push(socket)
        }
  }

  async send(count: number): Promise<void> {
    for (let sent = 0; sent < count; ) {
      for (let i = 0; i < BATCH && sent < count; i++, sent++) {
        const bytes = Buffer.from(this.#requests[this.#next % this.#requests.length]!)
        bytes.writeUInt32BE(this.#next, 16)
        // Another step than the requests': every source sends all kinds.
        const source = this.#sources[Math.floor(this.#next / this.#requests.length) % this.#sources.length]!
        source.send(bytes, turnPort, loopback)
        this.#next++
      }
      await sleep(PAUSE)
    }
  }
}

function request(type: number, ...attributes: readonly (readonly [number, Buffer])[]): Buffer {
  const body = attributes.map(([name, value]) => {
    const bytes = Buffer.alloc(4 + ((value.length + 3) & ~3))
    bytes.writeUInt16BE(name)
    bytes.writeUInt16BE(value.length, 2)
    value.copy(bytes, 4)
    return bytes
  })
  const header = Buffer.alloc(20)
  header.writeUInt16BE(type)
  header.writeUInt16BE(
    body.reduce((sum, { length }) => sum + length, 0),
    2,
  )
  header.writeUInt32BE(0x2112a442, 4)
  return Buffer.concat([header, ...body])
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${relay.process.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}
