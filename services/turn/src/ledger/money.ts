/** Money is a bigint of micro-units (millionths) of its currency: no binary fractions anywhere on its way. */
export type Micros = bigint

const decimal = /^(\d{1,12})(?:\.(\d{1,6}))?$/

/**
 * "0.0085" → 8500n.
 * @throws RangeError when the text is not a decimal number with at most six decimals
 */
export function parseMicros(text: string): Micros {
  const match = decimal.exec(text)
  if (!match) throw new RangeError(`"${text}" is not an amount like 12 or 0.0085 (at most six decimals)`)
  return BigInt(match[1]!) * 1_000_000n + BigInt((match[2] ?? '').padEnd(6, '0'))
}

/** 8500n → "0.008500": always six decimals, for JSON and CSV. */
export function formatMicros(micros: Micros): string {
  const digits = (micros < 0n ? -micros : micros).toString().padStart(7, '0')
  return `${micros < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`
}

/** Division of positive numbers, halves rounded up. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator)
}
