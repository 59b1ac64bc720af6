/** Waits for a quiet machine and measures disturbed windows again, for as long as the run's patience lasts. */
import { setTimeout as sleep } from 'node:timers/promises'
import { machineSeconds } from './cpu.ts'

/** Other load of up to this many cores is let pass; a window with more counts as disturbed. */
export const QUIET_CORES = 0.15
const LOOK_MS = 250
/** Well below the five minutes of a permission, which may be running already. */
const LONGEST_WAIT_MS = 60_000
const ATTEMPTS = 5

export class Patience {
  #leftMs: number

  /** @param seconds spent in all, on waiting and on windows measured again; 0: take what comes. */
  constructor(seconds: number) {
    this.#leftMs = seconds * 1e3
  }

  /** The first undisturbed window, or the least disturbed of those that patience allowed. */
  async measure<T extends { readonly foreignCores: number }>(window: () => Promise<T>): Promise<T> {
    let best: T | undefined
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.waitForQuiet()
      const started = performance.now()
      const result = await window()
      if (!best || result.foreignCores < best.foreignCores) best = result
      if (best.foreignCores <= QUIET_CORES || this.#leftMs <= 0) break
      this.#leftMs -= performance.now() - started
    }
    return best!
  }

  /** Between windows servers and generator are idle: whatever is busy is something else. Waits a minute at most. */
  async waitForQuiet(): Promise<void> {
    for (const until = performance.now() + LONGEST_WAIT_MS; this.#leftMs > 0 && performance.now() < until; ) {
      const before = machineSeconds().busy
      await sleep(LOOK_MS)
      if ((machineSeconds().busy - before) / (LOOK_MS / 1e3) <= QUIET_CORES) return
      this.#leftMs -= LOOK_MS
    }
  }
}
