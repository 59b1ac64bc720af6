import { readFileSync } from 'node:fs'

let frames: readonly Buffer[] | undefined

/** Seven seconds of music as Opus frames of 20 ms; how they were made is in scripts/melody.ts. */
export function melody(): readonly Buffer[] {
  frames ??= split(readFileSync(new URL('../../assets/melody.opus-frames', import.meta.url)))
  return frames
}

/** Each frame follows its length in two bytes. */
function split(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at)
    parts.push(bytes.subarray(at + 2, end))
    at = end
  }
  return parts
}
