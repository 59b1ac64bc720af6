/** Mutations for fuzzing STUN: reproducible from a seed. */

/** A small fast generator (mulberry32); not for secrets. */
export function createRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % limit
  }
}
export type Random = ReturnType<typeof createRandom>

const CORNERS = [0, 1, 3, 4, 0x3f, 0x40, 0x7f, 0x80, 0xff]

/** Bytes from nowhere; half of them dressed as STUN with a right cookie and length. */
export function randomDatagram(random: Random): Uint8Array {
  const bytes = Uint8Array.from({ length: random(120) }, () => random(256))
  if (random(2) === 0 || bytes.length < 20) return bytes
  const whole = bytes.subarray(0, bytes.length & ~3)
  whole[0]! &= 0x3f
  whole.set([0, whole.length - 20, 0x21, 0x12, 0xa4, 0x42], 2)
  return whole
}

/** A valid message with one to four things wrong. */
export function mutate(valid: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = valid.slice()
  for (let times = 1 + random(4); times > 0; times--) bytes = mutateOnce(bytes, random)
  return bytes
}

function mutateOnce(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random(bytes.length || 1)
  switch (random(7)) {
    case 0:
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << random(8)) : byte))
    case 1:
      return bytes.map((byte, i) => (i === at ? CORNERS[random(CORNERS.length)]! : byte))
    case 2:
      return bytes.subarray(0, at)
    case 3:
      return Uint8Array.from([...bytes, ...Array.from({ length: random(32) }, () => random(256))])
    case 4:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + random(8))])
    case 5:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(random(bytes.length || 1))])
    default:
      return withRightLength(bytes)
  }
}

/** Makes the header's length right again, so that mutations get past it to the attributes. */
function withRightLength(bytes: Uint8Array): Uint8Array {
  const whole = bytes.slice(0, bytes.length & ~3)
  if (whole.length >= 20) whole.set([(whole.length - 20) >> 8, (whole.length - 20) & 0xff], 2)
  return whole
}
