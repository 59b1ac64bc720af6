import { execFile } from 'node:child_process'
import { expect } from 'vitest'
import { exec } from './exec.ts'

/** coturn's client, which ends within a minute; what it said when it succeeded. */
export function uclient(...args: readonly string[]): Promise<string> {
  return exec('timeout', '60', 'turnutils_uclient', ...args)
}

/** Every message came back, and there were some. */
export function expectLossless(output: string): void {
  expect(output).toContain('Total lost packets 0 (0.000000%)')
  const [, sent, received] = /tot_send_bytes ~ (\d+), tot_recv_bytes ~ (\d+)\s*(?![\s\S]*tot_send)/.exec(output) ?? []
  expect(Number(sent)).toBeGreaterThan(0)
  expect(received).toBe(sent)
}

/** Runs for so many seconds at most and may fail; what it said. */
export function attempt(seconds: number, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile('timeout', [String(seconds), 'turnutils_uclient', ...args], (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    )
  })
}
