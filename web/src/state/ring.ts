/** Two tones in turn, as telephones do; Hz. */
const tones = { incoming: [659, 523], outgoing: [440, 440] } as const
/** Seconds: of one tone, and from one ring to the next. */
const toneLength = 0.4
const pause = { incoming: 1.6, outgoing: 4 } as const

/** The sound of a call that rings here, or there. Silent where the browser has seen no gesture yet. */
export class Ring {
  #context: AudioContext | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #playing: keyof typeof tones | undefined

  play(kind: keyof typeof tones | undefined): void {
    if (kind === this.#playing) return
    this.#playing = kind
    clearInterval(this.#timer)
    if (kind === undefined) {
      void this.#context?.suspend()
      return
    }
    this.#context ??= new AudioContext()
    void this.#context.resume()
    this.#once(kind)
    this.#timer = setInterval(() => this.#once(kind), pause[kind] * 1000)
  }

  #once(kind: keyof typeof tones): void {
    const context = this.#context
    if (!context) return
    const volume = context.createGain()
    volume.gain.value = kind === 'incoming' ? 0.15 : 0.05
    volume.connect(context.destination)
    tones[kind].forEach((frequency, index) => {
      const tone = new OscillatorNode(context, { frequency })
      tone.connect(volume)
      const start = context.currentTime + index * toneLength
      tone.start(start)
      tone.stop(start + toneLength)
    })
  }
}
