/** The clock and timers everything here runs on, so that tests can turn the hands. Milliseconds. */
export interface Timers {
  now(): number
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(handle: unknown): void
}

export const systemTimers: Timers = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => globalThis.setTimeout(callback, delay),
  clearTimeout: (handle) => globalThis.clearTimeout(handle as ReturnType<typeof setTimeout>),
}

/** One pending call-back at most: setting it again replaces it. */
export class Timer {
  readonly #timers: Timers
  #handle: unknown

  constructor(timers: Timers) {
    this.#timers = timers
  }

  get pending(): boolean {
    return this.#handle !== undefined
  }

  set(delay: number, callback: () => void): void {
    this.clear()
    this.#handle = this.#timers.setTimeout(() => {
      this.#handle = undefined
      callback()
    }, delay)
  }

  clear(): void {
    if (this.#handle === undefined) return
    this.#timers.clearTimeout(this.#handle)
    this.#handle = undefined
  }
}
