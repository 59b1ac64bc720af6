/**
 * Writes assets/melody.opus-frames, what a simulated customer plays: `node packages/whatsapp-simulator/scripts/melody.ts`.
 * Chromium's WebCodecs encode it, 20 ms a frame, so that no Opus library is needed; each frame follows its length in two
 * bytes, big-endian. Run once; the frames are kept because another encoder would give other ones.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launchBrowser } from '../../../test/helpers/browser.ts'

const target = fileURLToPath(new URL('../assets/melody.opus-frames', import.meta.url))

/** Hz and the beat on which each begins: C major, up and down, and the chord at the end. */
const notes: readonly (readonly [frequency: number, beat: number])[] = [
  ...[261.63, 329.63, 392, 523.25, 392, 329.63, 349.23, 440, 523.25, 440, 392, 493.88].map(
    (frequency, beat) => [frequency, beat] as const,
  ),
  ...[261.63, 329.63, 392, 523.25].map((frequency) => [frequency, 12] as const),
]

const browser = await launchBrowser()
try {
  const page = await browser.newPage()
  // AudioEncoder is for secure contexts alone.
  await page.route('https://melody.invalid/', (route) => route.fulfill({ contentType: 'text/html', body: '' }))
  await page.goto('https://melody.invalid/')
  const frames = await page.evaluate(encode, notes)
  const parts = frames.flatMap((frame) => [Buffer.from([frame.length >> 8, frame.length & 0xff]), Buffer.from(frame)])
  writeFileSync(target, Buffer.concat(parts))
  console.log(`${frames.length} frames, ${frames.length / 50} s`)
} finally {
  await browser.close()
}

/** Runs in the page. */
async function encode(all: readonly (readonly [number, number])[]): Promise<number[][]> {
  const [rate, beat, seconds] = [48_000, 0.4, 7]
  const samples = new Float32Array(rate * seconds)
  for (const [frequency, at] of all)
    for (let n = Math.round(at * beat * rate); n < samples.length; n++) {
      const t = n / rate - at * beat
      const loudness = Math.min(1, t / 0.02) * Math.exp(-t * 3.5) * 0.16
      const angle = 2 * Math.PI * frequency * t
      samples[n]! += loudness * (Math.sin(angle) + 0.4 * Math.sin(2 * angle) + 0.15 * Math.sin(3 * angle))
    }
  const frames: number[][] = []
  const encoder = new AudioEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength)
      chunk.copyTo(bytes)
      frames.push([...bytes])
    },
    error: (error) => {
      throw error
    },
  })
  encoder.configure({ codec: 'opus', sampleRate: rate, numberOfChannels: 1, bitrate: 24_000 })
  const [format, numberOfChannels, timestamp] = ['f32' as const, 1, 0]
  encoder.encode(
    new AudioData({
      format,
      sampleRate: rate,
      numberOfFrames: samples.length,
      numberOfChannels,
      timestamp,
      data: samples,
    }),
  )
  await encoder.flush()
  return frames
}
