/**
 * A real relay under load for some minutes: `node scripts/run.mjs soak [seconds] [clients]`, three minutes and sixty clients
 * by default. Ends with an error when an allocation or a socket is left, a call failed, or memory kept growing. Linux only.
 */
import { runLive } from './live.ts'

/** Mean resident memory of the last third over that of the third before: MiB. */
const GROWTH = 12

const seconds = Number(process.argv[2] ?? 180)
const clients = Number(process.argv[3] ?? 60)
const { before, after, peak, resident, ...calls } = await runLive({ seconds, clients })

const third = Math.floor(resident.length / 3)
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const [middle, last] = [mean(resident.slice(third, 2 * third)), mean(resident.slice(-third))]

console.log(
  `${calls.calls} calls in ${seconds} s, ${clients} at a time; ${calls.sent} packets sent, ${calls.echoed} echoed`,
)
console.log(`allocations ${before.allocations} → ${peak.allocations} → ${after.allocations}`)
console.log(`descriptors ${before.descriptors} → ${peak.descriptors} → ${after.descriptors}`)
console.log(`resident MiB: ${middle.toFixed(1)} in the second third, ${last.toFixed(1)} in the last`)
console.log(`dropped by the relay: ${JSON.stringify(calls.dropped)}`)
console.log(`each tenth: ${tenths(resident).join(' ')}`)

const complaints = [
  ...calls.failures.slice(0, 5),
  after.allocations > 0 && `${after.allocations} allocations are left`,
  after.descriptors > before.descriptors && `${after.descriptors - before.descriptors} descriptors are left`,
  last - middle > GROWTH && `memory has grown by ${(last - middle).toFixed(1)} MiB`,
].filter((complaint) => complaint !== false)
for (const complaint of complaints) console.error(complaint)
if (complaints.length > 0) process.exitCode = 1

function tenths(values: readonly number[]): string[] {
  const step = Math.max(1, Math.floor(values.length / 10))
  return values.filter((_, i) => i % step === step - 1).map((value) => value.toFixed(0))
}
