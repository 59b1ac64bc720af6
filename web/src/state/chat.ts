import type { HairpinClient, Room, Text } from '@hairpin/client'

export interface ChatLine {
  readonly name: string
  readonly text: string
  readonly date: number
  readonly own: boolean
}

/** Lines kept on the page: the last ones. */
const kept = 200

/** The texts of one call or room. */
export class Chat {
  readonly #client: HairpinClient
  readonly #with: string | Room
  readonly #stop: () => void
  lines: readonly ChatLine[] = []

  constructor(client: HairpinClient, partner: string | Room, changed: () => void) {
    this.#client = client
    this.#with = partner
    this.#stop = client.on('text', (text) => {
      if (!this.#belongs(text)) return
      const { name, text: words, date } = text
      this.lines = [...this.lines, { name, text: words, date, own: name === client.name }].slice(-kept)
      changed()
    })
  }

  say(text: string): void {
    this.#client.sendText(text, this.#with)
  }

  close(): void {
    this.#stop()
  }

  #belongs({ name, target, room }: Text): boolean {
    if (typeof this.#with !== 'string') return room === this.#with.name
    return target !== undefined && (name === this.#with || target === this.#with)
  }
}
