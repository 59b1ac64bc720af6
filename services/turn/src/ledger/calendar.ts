/** Days and months in UTC, as providers bill and as every table of the ledger counts. Milliseconds since 1970. */
export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000

export function dayStart(at: number): number {
  return at - (at % DAY)
}

export function monthStart(at: number): number {
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
}

/** First millisecond of the next month. */
export function monthEnd(at: number): number {
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}
