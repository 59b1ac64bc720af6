import type { Phone } from '@hairpin/whatsapp-simulator'
import type { Browser, Page } from 'playwright-core'
import { until } from './exec.ts'
import { agentToken } from './whatsapp.ts'

/** One agent on the agents' page. */
export interface AgentPage {
  readonly name: string
  readonly page: Page
  /** What the page wrote to its console and its uncaught errors. */
  readonly log: readonly string[]
}

/**
 * Opens the page by an address that has a token, and joins; calls ring there when this is done.
 * @param shown what the page shows then: by default that it is available
 */
export async function joinAgent(browser: Browser, url: string, name: string, shown?: string): Promise<AgentPage> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 } })
  const page = await context.newPage()
  const log: string[] = []
  page.on('console', (message) => log.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => log.push(`uncaught: ${error.message}`))
  await page.goto(`${url}agent#token=${await agentToken(name)}`)
  await page.getByTestId('join').click()
  if (shown === undefined) await ready({ name, page, log })
  else await page.getByTestId(shown).waitFor()
  return { name, page, log }
}

/** Calls ring there. */
export async function ready({ name, page, log }: AgentPage): Promise<void> {
  try {
    await page.locator('[data-testid=status][data-state=joined]').waitFor()
  } catch (error) {
    const shown = await page.locator('body').innerText()
    throw new Error(`${name} is not available; the page says: ${shown}; its console:\n${log.join('\n')}`, {
      cause: error,
    })
  }
}

/** The frequency in Hz of the loudest sound that the page plays; 0 for silence. */
export function heardTone({ page }: AgentPage): Promise<number> {
  return page.evaluate(async () => {
    const voice = document.querySelector('audio')?.srcObject
    if (!(voice instanceof MediaStream)) return 0
    const context = new AudioContext()
    const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 })
    context.createMediaStreamSource(voice).connect(analyser)
    const levels = new Float32Array(analyser.frequencyBinCount)
    // As long as the analysis reaches back.
    await new Promise((resolve) => setTimeout(resolve, 250))
    analyser.getFloatFrequencyData(levels)
    await context.close()
    let loudest = 0
    for (let bin = 1; bin < levels.length; bin++) if (levels[bin]! > levels[loudest]!) loudest = bin
    return levels[loudest]! < -60 ? 0 : (loudest * context.sampleRate) / analyser.fftSize
  })
}

/** Waits until the agent hears the customer's tone, give or take one step of the analysis. */
export async function hearsTone(agent: AgentPage, frequency: number): Promise<void> {
  await until(`${agent.name} hears ${frequency} Hz`, async () => {
    const heard = await heardTone(agent)
    if (Math.abs(heard - frequency) > 12) throw new Error(`${heard} Hz`)
    return true
  })
}

/** A second of a tone as Opus frames of 20 ms, encoded by the page's browser. */
export async function opusTone({ page }: AgentPage, frequency: number): Promise<Buffer[]> {
  const frames = await page.evaluate(async (hertz) => {
    const sampleRate = 48_000
    const data = Float32Array.from(
      { length: sampleRate },
      (_, n) => Math.sin((2 * Math.PI * hertz * n) / sampleRate) / 2,
    )
    const encoded: number[][] = []
    const encoder = new AudioEncoder({
      output(chunk) {
        const bytes = new Uint8Array(chunk.byteLength)
        chunk.copyTo(bytes)
        encoded.push([...bytes])
      },
      error() {},
    })
    encoder.configure({ codec: 'opus', sampleRate, numberOfChannels: 1, bitrate: 32_000 })
    const shape = { format: 'f32', sampleRate, numberOfFrames: data.length, numberOfChannels: 1 } as const
    encoder.encode(new AudioData({ ...shape, timestamp: 0, data }))
    await encoder.flush()
    return encoded
  }, frequency)
  return frames.map((frame) => Buffer.from(frame))
}

/** How loud these Opus packets are when they are played: the root mean square of the loudest tenth of a second. */
export function loudness({ page }: AgentPage, packets: readonly Buffer[]): Promise<number> {
  return page.evaluate(
    async (all) => {
      const samples: number[] = []
      const decoder = new AudioDecoder({
        output(audio) {
          const part = new Float32Array(audio.numberOfFrames)
          audio.copyTo(part, { planeIndex: 0, format: 'f32-planar' })
          samples.push(...part)
        },
        error() {},
      })
      decoder.configure({ codec: 'opus', sampleRate: 48_000, numberOfChannels: 1 })
      all.forEach((packet, index) => {
        const chunk = { type: 'key', timestamp: index * 20_000, data: new Uint8Array(packet) } as const
        decoder.decode(new EncodedAudioChunk(chunk))
      })
      await decoder.flush()
      let loudest = 0
      for (let start = 0; start + 4800 <= samples.length; start += 4800) {
        const power = samples.slice(start, start + 4800).reduce((sum, sample) => sum + sample * sample, 0) / 4800
        loudest = Math.max(loudest, Math.sqrt(power))
      }
      return loudest
    },
    packets.map((packet) => [...packet]),
  )
}

/** Speech packets that the phone got, from the one of that number on. */
export function speech(phone: Phone, from = 0): Buffer[] {
  const opus = phone.received.filter(({ header }) => header.payloadType === phone.opus)
  return opus.slice(from).map(({ payload }) => Buffer.from(payload))
}

/** Waits until the phone gets a sound that can be heard; a microphone that beeps once a second has its pauses. */
export async function phoneHears(agent: AgentPage, phone: Phone): Promise<void> {
  const before = speech(phone).length
  await until('the phone hears the agent', async () => {
    const level = await loudness(agent, speech(phone, before))
    if (level < 0.01) throw new Error(`${speech(phone).length - before} packets, loudness ${level}`)
    return true
  })
}

/** Plays the frames over and over, 50 a second, until the phone is closed. */
export function play(phone: Phone, frames: readonly Buffer[]): () => void {
  let count = 0
  let due = Date.now()
  const timer = setInterval(() => {
    for (; due <= Date.now(); due += 20) void phone.say(frames[count++ % frames.length]!).catch(() => {})
  }, 20)
  return () => clearInterval(timer)
}
