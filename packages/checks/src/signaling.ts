/** The signaling socket as a guest uses it, whatever made the socket: docs/PROTOCOL.md. */
import type { CredentialsFacts, Log, SocketFacts } from './driver.ts'
import { isIceServersAnswer } from './servers.ts'

/** What the browser's WebSocket and that of `ws` have in common. */
export interface SocketLike {
  readonly protocol: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: string): void
  close(): void
}

/** Milliseconds. */
export const openLimit = 8_000
const GREETING_LIMIT = 4_000
const CREDENTIALS_LIMIT = 8_000

type Frame = Readonly<Record<string, unknown>>

export class SignalingProbe {
  #socket: SocketLike | undefined
  #onFrame: ((frame: Frame) => void) | undefined
  #onEnd: ((code: number, reason: string) => void) | undefined

  /** @param failed says why, when the socket did not open */
  open(socket: SocketLike, failed: () => Promise<SocketFacts>, now: () => number, log: Log): Promise<SocketFacts> {
    this.#socket = socket
    const from = now()
    return new Promise((resolve) => {
      const timeout = { kind: 'timeout', text: `not open within ${openLimit / 1000} s` } as const
      let timer = setTimeout(() => resolve({ state: 'trouble', trouble: timeout }), openLimit)
      this.#onEnd = () => void failed().then(resolve)
      socket.onmessage = ({ data }: { readonly data: unknown }) => this.#take(String(data))
      // What is wrong comes with `close`, which follows.
      socket.onerror = () => {}
      socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
        clearTimeout(timer)
        this.#onEnd?.(code, reason)
      }
      socket.onopen = () => {
        const opened = { state: 'open', openMs: now() - from, protocol: socket.protocol } as const
        log(`open, subprotocol “${socket.protocol}”`)
        clearTimeout(timer)
        timer = setTimeout(() => resolve(opened), GREETING_LIMIT)
        this.#onEnd = (code, reason) => resolve({ state: 'closed', code, reason })
        this.#onFrame = ({ type }) => {
          if (type !== 'id') return
          clearTimeout(timer)
          log('the server greeted with “id”')
          resolve({ ...opened, idMs: now() - from })
        }
      }
    })
  }

  /** Joins, takes the credentials that follow, and leaves. */
  async guestCredentials(now: () => number, log: Log): Promise<CredentialsFacts> {
    const name = `check-${Math.random().toString(36).slice(2, 8)}`
    const from = now()
    log(`joining as ${name}`)
    const facts = await new Promise<CredentialsFacts>((resolve) => {
      const late = { kind: 'timeout', text: `no ice-servers within ${CREDENTIALS_LIMIT / 1000} s` } as const
      const timer = setTimeout(() => resolve({ state: 'trouble', trouble: late }), CREDENTIALS_LIMIT)
      const done = (found: CredentialsFacts) => {
        clearTimeout(timer)
        resolve(found)
      }
      this.#onEnd = (code, reason) => done({ state: 'refused', code: `close ${code}`, message: reason })
      this.#onFrame = (frame) => {
        if (frame.type === 'error')
          done({ state: 'refused', code: String(frame.code), message: String(frame.message ?? '') })
        if (frame.type === 'ice-servers') done(givenIn(frame, now() - from))
      }
      this.#socket?.send(JSON.stringify({ type: 'username', name }))
    })
    this.close()
    return facts
  }

  close(): void {
    this.#onEnd = this.#onFrame = undefined
    this.#socket?.close()
    this.#socket = undefined
  }

  #take(text: string): void {
    const frame = parsed(text)
    if (typeof frame === 'object' && frame !== null) this.#onFrame?.(frame as Frame)
  }
}

/** What an answer of `POST /api/v1/turn/credentials` says. */
export function credentialsIn(status: number, body: string, ms: number): CredentialsFacts {
  const error = errorIn(body)
  if (error) return { state: 'refused', status, ...error }
  const other = `status ${status}, and no answer of a credentials API`
  return status < 300 ? givenIn(parsed(body), ms) : { state: 'odd', text: other }
}

/** The stable code of `{"error":{"code","message"}}`, if that is what it is. */
export function errorIn(body: string): { readonly code: string; readonly message: string } | undefined {
  const { error } = (parsed(body) ?? {}) as { error?: { code?: unknown; message?: unknown } }
  return typeof error?.code === 'string' ? { code: error.code, message: String(error.message ?? '') } : undefined
}

function givenIn(value: unknown, ms: number): CredentialsFacts {
  if (!isIceServersAnswer(value)) return { state: 'odd', text: 'iceServers of an unknown form' }
  const { iceServers, ttl, expiresAt } = value
  return { state: 'given', ms, answer: { iceServers, ttl, expiresAt } }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
