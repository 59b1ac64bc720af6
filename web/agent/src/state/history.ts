import type { AgentCall, AgentEndReason } from '@hairpin/client'

/** A call that is over, as this browser remembers it. */
export interface PastCall {
  /** Milliseconds since 1970: when it rang, or was made. */
  readonly at: number
  readonly direction: 'user' | 'business'
  readonly name?: string
  readonly number?: string
  readonly reason: AgentEndReason
  /** Milliseconds; absent: nobody here talked. */
  readonly duration?: number
}

const key = 'hairpin agent calls'
const kept = 50

/** The last calls, in this browser's own store and nowhere else. */
export class History {
  #calls: readonly PastCall[] = read()

  get calls(): readonly PastCall[] {
    return this.#calls
  }

  /** @param at when it began */
  add(call: AgentCall, at: number): void {
    const { direction, caller, answeredAt, end } = call
    if (!end) return
    const past: PastCall = {
      at,
      direction,
      ...caller,
      reason: end.reason,
      ...(answeredAt !== undefined ? { duration: Math.max(0, Date.now() - answeredAt) } : {}),
    }
    this.#calls = [past, ...this.#calls].slice(0, kept)
    write(JSON.stringify(this.#calls))
  }

  clear(): void {
    this.#calls = []
    write(undefined)
  }
}

function read(): readonly PastCall[] {
  try {
    const calls: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(calls) ? calls.filter(isPastCall).slice(0, kept) : []
  } catch {
    return []
  }
}

function isPastCall(value: unknown): value is PastCall {
  const { at, direction, reason } = (value ?? {}) as Partial<PastCall>
  return typeof at === 'number' && (direction === 'user' || direction === 'business') && typeof reason === 'string'
}

/** A store that is full or forbidden costs the history, not the call. */
function write(text: string | undefined): void {
  try {
    if (text === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, text)
  } catch {
    // As if there were no store.
  }
}
