const LOCALE = 'en'

/** Decimal text as money; small amounts keep the digits that make them more than nothing. */
export function money(amount: string | null, currency: string): string {
  if (amount === null) return 'unknown'
  const value = Number(amount)
  const digits = value !== 0 && value < 1 ? 4 : 2
  return new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value)
}

/** 1,000 bytes are a kB, as prices count. */
export function bytes(count: number): string {
  return scaled(count, 'B')
}

export function bitsPerSecond(bits: number): string {
  return scaled(bits, 'bit/s')
}

function scaled(value: number, unit: string): string {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P']
  let step = 0
  let rest = value
  while (rest >= 999.5 && step < prefixes.length - 1) {
    rest /= 1000
    step++
  }
  const digits = step === 0 || rest >= 99.5 ? 0 : rest >= 9.95 ? 1 : 2
  return `${rest.toFixed(digits)} ${prefixes[step]}${unit}`
}

export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio < 0.1 ? 1 : 0)} %`
}

/** `2 h 5 min`, `4 min`, `12 s` */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `50 EUR` as money, `20000000000 B` as bytes. */
export function budgetLimit(limit: string): string {
  const [amount = '', unit = ''] = limit.split(' ')
  return unit === 'B' ? bytes(Number(amount)) : money(amount, unit)
}
