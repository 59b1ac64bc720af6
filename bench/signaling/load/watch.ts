import { residentBytes } from '../../measure/cpu.ts'

const LOOK_MS = 50

/** The most that the process has resident while `during` lasts, in bytes more than at its beginning. */
export async function peakGrowth(pid: number, during: () => Promise<void>): Promise<number> {
  const before = residentBytes(pid)
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid))
  }, LOOK_MS)
  try {
    await during()
  } finally {
    clearInterval(timer)
  }
  return Math.max(peak, residentBytes(pid)) - before
}
