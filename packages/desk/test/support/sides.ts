import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  type Desk,
  type DeskBody,
  type DeskEvents,
  type DeskRequest,
  type DeskServer,
  type LinkLog,
  type LinkTimes,
  type Recipients,
  remoteDesk,
  serveDesk,
} from '../../src/index.ts'

export const key = 'internal-key-internal-key'
const retryMs = { first: 5, most: 20 }

/** A log that keeps the codes. */
export class Log implements LinkLog {
  readonly codes: unknown[] = []
  info(fields: { code?: unknown }): void {
    this.codes.push(fields.code)
  }
  warn(fields: { code?: unknown }): void {
    this.codes.push(fields.code)
  }
}

/** The service: notes what it is told, and complains of what a desk must never be told. */
export class Service implements Desk {
  readonly here = new Set<string>()
  /** Of those who are here. */
  readonly devices = new Set<string>()
  readonly log: string[] = []
  readonly requests: { agent: string; device: string; request: DeskRequest }[] = []
  readonly wrong: string[] = []
  events: DeskEvents | undefined
  readonly #up: boolean

  constructor({ up = true } = {}) {
    this.#up = up
  }

  attach(events: DeskEvents): void {
    this.events = events
    if (this.#up) events.up()
  }
  arrive(agent: string, device: string): void {
    if (this.here.has(agent)) this.wrong.push(`arrive ${agent}`)
    this.here.add(agent)
    this.devices.add(device)
    this.log.push(`arrive ${agent}`)
  }
  appear(agent: string, device: string): void {
    if (!this.here.has(agent)) this.wrong.push(`appear ${agent}`)
    this.devices.add(device)
    this.log.push(`appear ${agent} ${device}`)
  }
  disappear(agent: string, device: string): void {
    if (!this.here.has(agent) || !this.devices.delete(device)) this.wrong.push(`disappear ${agent} ${device}`)
    this.log.push(`disappear ${agent} ${device}`)
  }
  leave(agent: string): void {
    if (!this.here.delete(agent)) this.wrong.push(`leave ${agent}`)
    for (const device of this.devices) if (device.includes(agent)) this.devices.delete(device)
    this.log.push(`leave ${agent}`)
  }
  request(agent: string, device: string, request: DeskRequest): void {
    this.requests.push({ agent, device, request })
  }
  down(): void {
    this.here.clear()
    this.devices.clear()
    this.events?.down()
  }
}

/** Signaling: who is here is told as the contract wants it. */
export class Signaling {
  readonly desk: Desk & { close(): void }
  readonly here = new Set<string>()
  /** Of these, with a second device. */
  readonly twice = new Set<string>()
  readonly told: { agent: string; devices: Recipients; body: DeskBody }[] = []
  readonly log = new Log()
  readonly states: string[] = []
  up = false
  readonly #name: string

  constructor(api: string, options: Partial<LinkTimes> & { readonly name?: string; readonly key?: string } = {}) {
    const { name = 'd', ...rest } = options
    this.#name = name
    this.desk = remoteDesk({ api, key, log: this.log, retryMs, ...rest })
    onTestFinished(() => this.desk.close())
    this.desk.attach({
      tell: (agent, devices, body) => this.told.push({ agent, devices, body }),
      up: () => {
        this.up = true
        this.states.push('up')
        for (const agent of this.here) this.desk.arrive(agent, `${name}-${agent}`)
        for (const agent of this.twice) this.desk.appear(agent, `${name}-${agent}-2`)
      },
      down: () => {
        this.up = false
        this.states.push('down')
      },
    })
  }

  arrive(agent: string): void {
    if (this.here.has(agent)) return
    this.here.add(agent)
    if (this.up) this.desk.arrive(agent, `${this.#name}-${agent}`)
  }

  appear(agent: string): void {
    if (!this.here.has(agent) || this.twice.has(agent)) return
    this.twice.add(agent)
    if (this.up) this.desk.appear(agent, `${this.#name}-${agent}-2`)
  }

  disappear(agent: string): void {
    if (this.twice.delete(agent) && this.up) this.desk.disappear(agent, `${this.#name}-${agent}-2`)
  }

  leave(agent: string): void {
    this.twice.delete(agent)
    if (this.here.delete(agent) && this.up) this.desk.leave(agent)
  }

  get devices(): string[] {
    const name = this.#name
    return [
      ...[...this.here].map((agent) => `${name}-${agent}`),
      ...[...this.twice].map((agent) => `${name}-${agent}-2`),
    ]
  }
}

export function socketApi(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-desk-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return `unix:${join(folder, 'desk.sock')}`
}

export async function serve(
  desk: Desk,
  api = socketApi(),
  options: Partial<LinkTimes> = {},
): Promise<DeskServer & { log: Log }> {
  const log = new Log()
  const server = await serveDesk(desk, { api, key, log, ...options })
  onTestFinished(() => server.close())
  return { ...server, log }
}

/** A wire between the two that can be cut, and frozen: then it stays open, and nothing passes. */
export async function wire(to: string): Promise<{ api: string; cut(): void; freeze(frozen: boolean): void }> {
  const sockets = new Set<Socket>()
  let isFrozen = false
  const server = createServer((near) => {
    const far = connect(to.slice('unix:'.length))
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        for (const other of [near, far]) other.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
    if (isFrozen) for (const socket of [near, far]) socket.unpipe()
  })
  const api = socketApi()
  await new Promise<void>((resolve) => server.listen(api.slice('unix:'.length), () => resolve()))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  const freeze = (frozen: boolean) => {
    isFrozen = frozen
    for (const socket of sockets) if (frozen) socket.unpipe().pause()
  }
  return { api, cut, freeze }
}
