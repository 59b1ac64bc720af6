/**
 * HalfSipHash-2-4 with 64 bits of output over whole words: a keyed hash whose collisions cannot be aimed at without the
 * key, in 32-bit arithmetic and without making an object. (J.-P. Aumasson and D. J. Bernstein, SipHash; the 32-bit variant.)
 */
export class HalfSipHash {
  readonly #key0: number
  readonly #key1: number
  /** Result of the last `hash`. */
  high = 0
  low = 0
  #v0 = 0
  #v1 = 0
  #v2 = 0
  #v3 = 0

  /** @param key 8 random bytes (what is beyond them is not used). @throws RangeError when there are fewer. */
  constructor(key: Uint8Array) {
    if (key.length < 8) throw new RangeError('HalfSipHash needs a key of 8 bytes')
    const view = new DataView(key.buffer, key.byteOffset, 8)
    this.#key0 = view.getInt32(0, true)
    this.#key1 = view.getInt32(4, true)
  }

  /** Hashes the first `count` words as their little-endian bytes; the result is in `low` and `high`, unsigned. */
  hash(words: Uint32Array, count: number): void {
    this.#v0 = this.#key0
    this.#v1 = this.#key1 ^ 0xee
    this.#v2 = 0x6c796765 ^ this.#key0
    this.#v3 = 0x74656462 ^ this.#key1
    for (let i = 0; i < count; i++) this.#absorb(words[i]! | 0)
    this.#absorb(count << 26)
    this.#v2 ^= 0xee
    for (let i = 0; i < 4; i++) this.#round()
    this.low = (this.#v1 ^ this.#v3) >>> 0
    this.#v1 ^= 0xdd
    for (let i = 0; i < 4; i++) this.#round()
    this.high = (this.#v1 ^ this.#v3) >>> 0
  }

  #absorb(word: number): void {
    this.#v3 ^= word
    this.#round()
    this.#round()
    this.#v0 ^= word
  }

  #round(): void {
    let v0 = this.#v0
    let v1 = this.#v1
    let v2 = this.#v2
    let v3 = this.#v3
    v0 = (v0 + v1) | 0
    v1 = rotate(v1, 5) ^ v0
    v0 = rotate(v0, 16)
    v2 = (v2 + v3) | 0
    v3 = rotate(v3, 8) ^ v2
    v0 = (v0 + v3) | 0
    v3 = rotate(v3, 7) ^ v0
    v2 = (v2 + v1) | 0
    v1 = rotate(v1, 13) ^ v2
    v2 = rotate(v2, 16)
    this.#v0 = v0
    this.#v1 = v1
    this.#v2 = v2
    this.#v3 = v3
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
