import { createHash, timingSafeEqual } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Desk } from './desk.ts'
import { type FromService, type FromSignaling, linkCodes, path, readFromSignaling, version } from './frames.ts'
import { defaultTimes, Link, type LinkLog, type LinkTimes, parseAddress, socketOptions } from './link.ts'
import { type Left, Roll } from './roll.ts'

export interface ServeDeskOptions extends Partial<LinkTimes> {
  /** Where to listen: `unix:/path` or `ws://host:port`; what a killed predecessor left at the path is removed. */
  readonly api: string
  /** What signaling shows as a Bearer token. */
  readonly key: string
  readonly log: LinkLog
}

export interface DeskServer {
  /** As it can be given to `remoteDesk`, with the port that was chosen for `ws://host:0`. */
  readonly api: string
  /** Ends the links, and with them all agents have left. */
  close(): Promise<void>
}

/** Far more than signaling processes. */
const maxLinks = 64

/** Lets signaling processes reach a desk over WebSockets. It attaches itself to the desk. @throws when it cannot listen */
export async function serveDesk(desk: Desk, options: ServeDeskOptions): Promise<DeskServer> {
  const served = new ServedDesk(desk, options)
  const server = createServer((_request, response) => response.writeHead(426).end())
  const sockets = new WebSocketServer({ noServer: true, ...socketOptions })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const status = served.objection(request)
    socket.on('error', () => {})
    if (status !== undefined) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    else sockets.handleUpgrade(request, socket, head, (opened) => served.accept(opened))
  })
  const api = await listen(server, options.api)
  return {
    api,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        served.close()
        for (const socket of sockets.clients) if (socket.readyState === socket.OPEN) socket.terminate()
        server.closeAllConnections()
      }),
  }
}

class ServedDesk {
  readonly #desk: Desk
  readonly #options: ServeDeskOptions & LinkTimes
  /** With the process at the other end. */
  readonly #links = new Map<Link, string>()
  readonly #roll = new Roll<Link>()
  readonly #key: Buffer
  #open = 0
  #up = false

  constructor(desk: Desk, options: ServeDeskOptions) {
    this.#desk = desk
    this.#options = { ...defaultTimes, ...options }
    this.#key = digest(`Bearer ${options.key}`)
    desk.attach({
      tell: (agent, devices, body) => this.#broadcast({ type: 'tell', agent, devices, body }),
      up: () => this.#turn(true),
      down: () => this.#turn(false),
    })
  }

  /** The HTTP status that refuses a connection. */
  objection({ url, headers }: IncomingMessage): string | undefined {
    if (url !== path) return '404 Not Found'
    if (!timingSafeEqual(digest(headers.authorization ?? ''), this.#key)) {
      this.#options.log.warn({ code: 'DESK_LINK_DENIED' }, 'a link of signaling has not the internal key')
      return '401 Unauthorized'
    }
    return this.#open < maxLinks ? undefined : '503 Service Unavailable'
  }

  accept(socket: WebSocket): void {
    this.#open++
    const link = new Link(socket, this.#options, (text) => this.#read(link, text))
    const silence = setTimeout(() => link.end(), this.#options.helloMs).unref()
    socket.on('error', () => {})
    socket.once('message', () => clearTimeout(silence))
    socket.once('close', () => {
      this.#open--
      clearTimeout(silence)
      this.#drop(link)
    })
  }

  close(): void {
    for (const link of [...this.#links.keys()]) this.#end(link, 1001, 'the service stops')
  }

  #read(link: Link, text: string | undefined): void {
    const frame = text === undefined ? undefined : readFromSignaling(text)
    if (!this.#links.has(link)) this.#greet(link, frame)
    else if (frame === undefined)
      this.#options.log.warn({ code: 'DESK_FRAME_UNKNOWN' }, 'a frame of signaling is not known')
    else if (this.#up) this.#act(link, frame)
  }

  #greet(link: Link, frame: FromSignaling | undefined): void {
    if (frame?.type !== 'hello' || frame.version !== version) {
      this.#options.log.warn({ code: 'DESK_VERSION' }, 'signaling is of another version')
      link.close(linkCodes.version, `version ${version} is spoken here`)
      return
    }
    for (const [former, from] of [...this.#links])
      if (from === frame.from) this.#end(former, linkCodes.replaced, 'linked anew')
    this.#links.set(link, frame.from)
    this.#options.log.info({ code: 'DESK_LINKED', links: this.#links.size }, 'signaling is linked')
    link.send({ type: 'hello', version } satisfies FromService)
    if (this.#up) link.send({ type: 'up' } satisfies FromService)
  }

  #act(link: Link, frame: FromSignaling): void {
    if (frame.type === 'leave') this.#left(frame.agent, this.#roll.leave(link, frame.agent))
    else if (frame.type === 'request') this.#desk.request(frame.agent, frame.device, frame.request)
    else if (frame.type === 'disappear') {
      if (this.#roll.lose(link, frame.agent, frame.device)) this.#desk.disappear(frame.agent, frame.device)
    } else if (frame.type !== 'hello')
      this.#desk[this.#roll.enter(link, frame.agent, frame.device) ? 'arrive' : 'appear'](frame.agent, frame.device)
  }

  #left(agent: string, { gone, devices }: Left): void {
    if (gone) this.#desk.leave(agent)
    else for (const device of devices) this.#desk.disappear(agent, device)
  }

  #drop(link: Link): void {
    if (!this.#links.delete(link)) return
    this.#options.log.warn({ code: 'DESK_LINK_LOST', links: this.#links.size }, 'a link of signaling is gone')
    for (const agent of this.#roll.agentsOf(link)) this.#left(agent, this.#roll.leave(link, agent))
  }

  #end(link: Link, code: number, reason: string): void {
    this.#drop(link)
    link.close(code, reason)
  }

  /** The desk has forgotten everyone. On new links nothing can be under way that was meant for it before. */
  #turn(up: boolean): void {
    if (this.#up) {
      this.#roll.clear()
      for (const link of [...this.#links.keys()]) this.#end(link, linkCodes.down, 'the service is not up')
    }
    this.#up = up
    if (up) this.#broadcast({ type: 'up' })
  }

  /** Each signaling process knows its own users, those without a socket included. */
  #broadcast(frame: FromService): void {
    for (const link of this.#links.keys()) link.send(frame)
  }
}

async function listen(server: Server, api: string): Promise<string> {
  const address = parseAddress(api)
  if ('path' in address) {
    if (await answers(address.path)) throw new Error(`${address.path}: another process listens there`)
    rmSync(address.path, { force: true })
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => resolve())
  })
  if ('path' in address) {
    // Signaling runs as the same user or one of its group.
    chmodSync(address.path, 0o660)
    return api
  }
  const { port } = server.address() as AddressInfo
  return `ws://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`
}

/** Whether somebody listens at the path. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
