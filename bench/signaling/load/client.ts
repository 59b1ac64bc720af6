/** A WebSocket client that costs the generator little: bytes in, bytes out, no events of its own. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { frame, PONG, stampAt, textFrame } from './frame.ts'

const PING = 9
const OPEN_MS = 20_000
const END_OF_HEAD = '\r\n\r\n'

/** Gets each stamped frame of a chunk, and then the chunk's end. */
export interface Receiver {
  stamped(bytes: Buffer, stamp: number): void
  chunk(): void
}

interface Waiting {
  readonly part: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class Client {
  readonly #socket: Socket
  #rest: Buffer | undefined
  /** The answer to the upgrade has not come. */
  #opening = true
  #waiting: Waiting[] = []
  #draining: (() => void)[] = []
  receiver: Receiver | undefined
  /** Text frames that came. */
  frames = 0
  bytes = 0
  closed = false
  /** After so many frames `ack` is sent with their count; undefined: never. */
  acking: { readonly every: number; readonly ack: (frames: number) => string } | undefined

  /** @param path of the upgrade's request, with its query */
  constructor(address: string, port: number, path: string) {
    this.#socket = connect({ host: address, port, noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#data(chunk))
    this.#socket.on('drain', () => this.#drained())
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#ended('the connection ended'))
    const key = randomBytes(16).toString('base64')
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${address}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: json${END_OF_HEAD}`,
    )
  }

  send(text: string): void {
    this.#socket.write(textFrame(text))
  }

  /** Frames as they are. False when the other side reads too slowly; `drained` says when to go on. */
  write(frames: Buffer): boolean {
    return this.#socket.write(frames)
  }

  drained(): Promise<void> {
    if (this.closed || !this.#socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => this.#draining.push(resolve))
  }

  /** Resolves when a frame comes that has the part in it. */
  expect(part: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${part} came`)), OPEN_MS)
      const done = (then: () => void) => () => {
        clearTimeout(timer)
        then()
      }
      const failed = (error: Error) => done(() => reject(error))()
      if (this.closed) failed(new Error('the connection ended'))
      else this.#waiting.push({ part, resolve: done(resolve), reject: failed })
    })
  }

  /** Tells the server that everything so far was dealt with, where it wants to know. */
  acknowledge(): void {
    if (this.acking !== undefined) this.send(this.acking.ack(this.frames))
  }

  /** Stops reading, as a client does that hangs. */
  pause(): void {
    this.#socket.pause()
  }

  end(): void {
    this.#socket.destroy()
  }

  #data(chunk: Buffer): void {
    this.bytes += chunk.length
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = undefined
    if (this.#opening) {
      const end = bytes.indexOf(END_OF_HEAD)
      if (end < 0) {
        this.#rest = bytes
        return
      }
      const status = bytes.toString('latin1', 0, bytes.indexOf('\r\n'))
      if (!status.startsWith('HTTP/1.1 101')) {
        this.#ended(`the upgrade was refused: ${status}`)
        this.#socket.destroy()
        return
      }
      this.#opening = false
      bytes = bytes.subarray(end + END_OF_HEAD.length)
    }
    this.#frames(bytes)
    this.receiver?.chunk()
  }

  #frames(bytes: Buffer): void {
    let at = 0
    while (at + 2 <= bytes.length) {
      const short = bytes[at + 1]! & 0x7f
      const extended = short < 126 ? 0 : short === 126 ? 2 : 8
      const start = at + 2 + extended
      if (start > bytes.length) break
      const length =
        extended === 0 ? short : extended === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
      if (start + length > bytes.length) break
      this.#frame(bytes, bytes[at]! & 15, start, start + length)
      at = start + length
    }
    if (at < bytes.length) this.#rest = bytes.subarray(at)
  }

  #frame(bytes: Buffer, opcode: number, start: number, end: number): void {
    if (opcode === PING) this.#socket.write(frame(bytes.subarray(start, end), PONG))
    if (opcode !== 1) return
    this.frames++
    if (this.acking !== undefined && this.frames % this.acking.every === 0) this.acknowledge()
    const stamp = this.receiver === undefined ? -1 : stampAt(bytes, start, end)
    if (stamp >= 0) this.receiver?.stamped(bytes, stamp)
    else if (this.#waiting.length > 0) this.#awaited(bytes.toString('utf8', start, end))
  }

  #awaited(text: string): void {
    const found = this.#waiting.filter(({ part }) => text.includes(part))
    this.#waiting = this.#waiting.filter((one) => !found.includes(one))
    for (const { resolve } of found) resolve()
  }

  #drained(): void {
    for (const resolve of this.#draining.splice(0)) resolve()
  }

  #ended(reason: string): void {
    if (this.closed) return
    this.closed = true
    this.#drained()
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(reason))
  }
}
