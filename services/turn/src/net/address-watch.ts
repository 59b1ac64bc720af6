/**
 * Looks again from time to time whether the advertised addresses that were detected still are the right ones: a machine may
 * get another public address, or have had no way to the internet when it started.
 */
import type { RelayAddress } from './addresses.ts'
import { reachOf } from './detect.ts'

export interface AddressWatchOptions {
  readonly first: readonly RelayAddress[]
  /** Seconds between two looks; 0: none. */
  readonly interval: number
  readonly detect: () => Promise<readonly RelayAddress[]>
  /** Addresses to advertise from now on, and in words what changed. */
  readonly changed: (relay: readonly RelayAddress[], what: string) => void
  /** The sockets are bound to an address that is not the one to use any more. */
  readonly stranded: (what: string) => void
}

export class AddressWatch {
  readonly #options: AddressWatchOptions
  #relay: readonly RelayAddress[]
  #timer: NodeJS.Timeout | undefined
  #told: string | undefined
  #looking = false
  /** Changes so far. */
  changes = 0

  constructor(options: AddressWatchOptions) {
    this.#options = options
    this.#relay = options.first
  }

  start(): void {
    const { interval } = this.#options
    const isDetected = this.#relay.some(({ source }) => source !== 'configured')
    if (interval > 0 && isDetected) this.#timer = setInterval(() => void this.look(), interval * 1000).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Never rejects: what cannot be found out now leaves everything as it is. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const found = await this.#options.detect()
      const differs = this.#relay.some((address) => moved(address, found) !== undefined)
      // One odd answer is no change: it has to be given twice.
      if (differs) this.#take(await this.#options.detect(), found)
    } catch {
      // Addresses of the host are in flux; the next look will tell.
    } finally {
      this.#looking = false
    }
  }

  #take(found: readonly RelayAddress[], before: readonly RelayAddress[]): void {
    const changes: string[] = []
    const relay = this.#relay.map((address) => {
      const now = moved(address, found)
      if (!now || now.external !== moved(address, before)?.external) return address
      const what = `${address.external} to ${now.external} (${now.why})`
      if (now.local === address.local) {
        changes.push(what)
        return now
      }
      if (this.#told !== what) this.#options.stranded(what)
      this.#told = what
      return address
    })
    if (changes.length === 0) return
    this.#relay = relay
    this.changes += changes.length
    this.#options.changed(relay, changes.join(', '))
  }
}

/** The other address that is to be used of this one's family. One that reaches less far is a failure to detect. */
function moved(address: RelayAddress, found: readonly RelayAddress[]): RelayAddress | undefined {
  const now = found.find(({ family }) => family === address.family)
  return now && now.external !== address.external && reachOf(now) >= reachOf(address) ? now : undefined
}
