import { HttpError } from '@hairpin/http'
import { type SignalingErrorCode, signalingErrors } from '@hairpin/protocol'

/** How many connections one source and all sources together may hold. */
export interface AdmissionLimits {
  /** A source is an IPv4 address or an IPv6 /64, which is what one customer commonly has. */
  readonly perSource: number
  readonly total: number
}

/** Counts connections by where they come from. */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #bySource = new Map<string, number>()
  #total = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  /** The code of the limit that a further connection would break. */
  objection(address: string | undefined): SignalingErrorCode | undefined {
    if (this.#total >= this.#limits.total) return 'SIG_FULL'
    // Without an address (a Unix socket whose proxy names no client) there is no source to count.
    if (address && (this.#bySource.get(sourceOf(address)) ?? 0) >= this.#limits.perSource)
      return 'SIG_TOO_MANY_CONNECTIONS'
    return undefined
  }

  /** Counts a connection; the result uncounts it. */
  enter(address: string | undefined): () => void {
    const source = address ? sourceOf(address) : ''
    this.#total++
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1)
    return () => {
      this.#total--
      const left = (this.#bySource.get(source) ?? 1) - 1
      if (left === 0) this.#bySource.delete(source)
      else this.#bySource.set(source, left)
    }
  }
}

export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1]) return mapped[1]
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%', 1)[0]!.split('::', 2)
  const left = head === '' ? [] : head.split(':')
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/**
 * Whether a page may open the socket: one of the same host, or of a listed origin (`*` lists all). Programs that are no
 * browsers send no Origin and are let in: the check protects users of browsers from foreign pages, nothing else.
 */
export function originAllowed(origin: string | undefined, host: string, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*')) return true
  if (!URL.canParse(origin)) return false
  const { protocol, host: pageHost, origin: normal } = new URL(origin)
  if (allowed.includes(normal)) return true
  const own = `${protocol}//${host}`
  return /^https?:$/.test(protocol) && URL.canParse(own) && new URL(own).host === pageHost
}

export function refusal(statusCode: number, code: SignalingErrorCode): HttpError {
  return new HttpError(statusCode, code, signalingErrors[code])
}
