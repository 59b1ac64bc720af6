import { type Contender, launch, type Running, type Setting } from '../contenders/contender.ts'
import type { Bench } from './bench.ts'

/** Runs `work` on each contender in a process of its own: what an earlier load left behind would show. */
export async function alone(
  { contenders, results }: Bench,
  scenario: string,
  shape: string,
  setting: Setting,
  work: (running: Running) => Promise<Record<string, number>>,
  which: (contender: Contender) => boolean = () => true,
): Promise<void> {
  console.error(`${scenario}: ${shape}`)
  for (const contender of contenders.filter(which))
    try {
      const running = await launch(contender, setting)
      try {
        const values = await work(running)
        results.add({ scenario, contender: contender.name, shape, round: 0, values })
      } finally {
        await running.stop()
      }
    } catch (error) {
      results.failed(scenario, contender.name, error)
    }
}
