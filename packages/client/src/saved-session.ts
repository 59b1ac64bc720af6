import type { SavedResumption } from './resumption.ts'

/** `sessionStorage` fits as it is: it lives as long as the tab, and a page that is loaded anew finds it. */
export type SessionStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** What a page that is loaded anew needs to know of its call beyond what the server says. */
export interface CallNote {
  readonly callId: string
  /** Names the other side's peer connection (`sdpSession`). */
  readonly remoteSession?: string
  /** Milliseconds since 1970. */
  readonly connectedAt?: number
}

export interface Saved {
  readonly wanted: string
  readonly resumption: SavedResumption
  readonly call?: CallNote
}

/** The session of this page in a store that outlives the page. Written once per turn of the event loop at most. */
export class SavedSession {
  readonly #store: SessionStore
  readonly #key: string
  #saved: Partial<Saved> = {}
  #scheduled = false

  constructor(store: SessionStore, url: string) {
    this.#store = store
    this.#key = `hairpin ${url}`
  }

  /** What the page before this one left; undefined when there is nothing of use. */
  load(): Saved | undefined {
    try {
      const saved = JSON.parse(this.#store.getItem(this.#key) ?? 'null') as Saved | null
      if (typeof saved?.resumption?.token !== 'string') return undefined
      this.#saved = saved
      return saved
    } catch {
      return undefined
    }
  }

  get call(): CallNote | undefined {
    return this.#saved.call
  }

  update(part: Partial<Saved>): void {
    this.#saved = { ...this.#saved, ...part }
    if (this.#scheduled) return
    this.#scheduled = true
    // A microtask: it runs before the page can go.
    queueMicrotask(() => {
      this.#scheduled = false
      if (this.#saved.resumption) this.#write(JSON.stringify(this.#saved))
    })
  }

  /** The call is over. */
  forgetCall(): void {
    const { call: _call, ...rest } = this.#saved
    this.#saved = rest
    this.update({})
  }

  clear(): void {
    this.#saved = {}
    this.#write(undefined)
  }

  /** A store that is full or forbidden costs the resume, not the session. */
  #write(text: string | undefined): void {
    try {
      if (text === undefined) this.#store.removeItem(this.#key)
      else this.#store.setItem(this.#key, text)
    } catch {
      // As if there were no store.
    }
  }
}

/** The platform's own, where there is one and the page may use it. */
export function platformStore(): SessionStore | undefined {
  try {
    return globalThis.sessionStorage
  } catch {
    return undefined
  }
}
