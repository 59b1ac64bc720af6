/** What a relay under test is to the bench, and how one is started and found ready. */
import type { ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { Class, MessageWriter, Method } from '@hairpin/stun'
import type { Credentials } from '../load/turn-client.ts'
import { generatorCpu, serverCpu, start, stop } from '../measure/children.ts'

/** Where a contender listens and relays, and the shared secret that its credentials are made with. */
export interface Site {
  readonly address: string
  readonly port: number
  readonly realm: string
  readonly secret: string
  readonly credentials: Credentials
}

export interface Contender {
  readonly name: string
  /** One line for the report. */
  readonly about: string
  /** How client data goes: through a bound channel, or as Send indications where channels do not work. */
  readonly via: 'channel' | 'indication'
  /** More than one worker: it needs a second core, which on a 2-core machine is the generator's. */
  readonly cores: number
  /** Why it cannot run here; undefined when it can. */
  unavailable(): string | undefined
  /** Answers 200 once every worker listens; without it an answered Binding request will do. */
  readyUrl?(site: Site): string
  command(site: Site): { readonly argv: readonly string[]; readonly env?: Readonly<Record<string, string>> }
}

export interface Running {
  readonly contender: Contender
  readonly site: Site
  readonly pid: number
  stop(): Promise<void>
}

const READY_MS = 15_000

/**
 * Every bench process has a /24 of the loopback network to itself, so nothing else on the machine is in its way:
 * contenders on .11 and up, clients on .2, peers on .3.
 */
const subnet = `127.${64 + ((process.pid >> 8) & 63)}.${process.pid & 255}`
export const clientAddress = `${subnet}.2`
export const peerAddress = `${subnet}.3`
let addresses = 0

/** A loopback address for one more server. */
export const nextAddress = (): string => `${subnet}.${11 + (addresses++ % 240)}`

function nextSite(): Site {
  const secret = 'bench-secret-of-no-value-elsewhere'
  const username = `${Math.floor(Date.now() / 1e3) + 86_400}:bench/load`
  const password = createHmac('sha1', secret).update(username).digest('base64')
  return { address: nextAddress(), port: 3478, realm: 'bench', secret, credentials: { username, password } }
}

/** Starts the contender on its cores and waits until it answers. */
export async function launch(contender: Contender): Promise<Running> {
  const site = nextSite()
  const { argv, env } = contender.command(site)
  const cpus = contender.cores === 1 ? `${serverCpu}` : `${serverCpu}-${Math.min(contender.cores - 1, generatorCpu)}`
  const child = start(cpus, argv, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  child.stderr?.on('data', (text: Buffer) => {
    complaint = `${complaint}${text}`.slice(-2_000)
  })
  try {
    await answers(site, child)
    if (contender.readyUrl) await ready(contender.readyUrl(site), child)
  } catch (cause) {
    await stop(child)
    throw new Error(`${contender.name} did not start: ${complaint.trim() || 'no message'}`, { cause })
  }
  return { contender, site, pid: child.pid!, stop: () => stop(child) }
}

async function answers(site: Site, child: ChildProcess): Promise<void> {
  const request = new MessageWriter(Method.Binding, Class.Request, new Uint8Array(12)).finish()
  const socket = createSocket('udp4')
  let answered = false
  socket.on('message', () => {
    answered = true
  })
  // Refused until the listener is open.
  socket.on('error', () => {})
  try {
    for (const until = Date.now() + READY_MS; Date.now() < until && child.exitCode === null; ) {
      socket.send(request, site.port, site.address)
      await new Promise((resolve) => setTimeout(resolve, 50))
      if (answered) return
    }
  } finally {
    socket.close()
  }
  throw new Error(`no answer from ${site.address}:${site.port}`)
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + READY_MS; Date.now() < until && child.exitCode === null; ) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`no 200 from ${url}`)
}
