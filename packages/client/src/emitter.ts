/** What happened, by event name: `{ state: [CallState], ended: [CallEndReason] }`. */
export type EventMap<Events> = { [Name in keyof Events]: readonly unknown[] }

export type Listener<Args extends readonly unknown[]> = (...args: Args) => void

/**
 * Typed events. Managers report upward only through these; nothing here knows who listens.
 * A listener that throws does not keep the others from hearing: its error surfaces as an uncaught one.
 */
export class Emitter<Events extends EventMap<Events>> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>()

  /** Listens; the returned function stops it. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener as Listener<never>)
    return () => listeners.delete(listener as Listener<never>)
  }

  /** The next event of that name. */
  once<Name extends keyof Events>(name: Name): Promise<Events[Name]> {
    return new Promise((resolve) => {
      const stop = this.on(name, (...args) => {
        stop()
        resolve(args)
      })
    })
  }

  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        ;(listener as Listener<Events[Name]>)(...args)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
