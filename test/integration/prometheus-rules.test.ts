import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { has } from '../helpers/capabilities.ts'
import { root } from '../helpers/compose.ts'
import { exec } from '../helpers/exec.ts'

/** The image of docker-compose.yml has promtool beside Prometheus. */
function promtool(...args: string[]): Promise<string> {
  const isolated = ['--rm', '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--network', 'none']
  const mount = ['-v', `${join(root, 'infra/prometheus')}:/etc/prometheus:ro`]
  return exec('docker', 'run', ...isolated, ...mount, '--entrypoint', 'promtool', 'prom/prometheus:v3.5.0', ...args)
}

describe.skipIf(!has('docker'))("Prometheus's configuration", () => {
  test('is valid, with its rules', async () => {
    const output = await promtool('check', 'config', '/etc/prometheus/prometheus.yml')
    expect(output).toContain('2 rule files found')
  })

  test('has rules that fire when they should, and not otherwise', async () => {
    expect(await promtool('test', 'rules', '/etc/prometheus/rules.test.yml')).toContain('SUCCESS')
  })
})
