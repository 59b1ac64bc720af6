import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { has } from '../helpers/capabilities.ts'
import { root } from '../helpers/compose.ts'
import { exec } from '../helpers/exec.ts'

const read = (path: string) => readFile(join(root, path), 'utf8')

describe("Grafana's provisioning", () => {
  test('finds its files where the compose file mounts them', async () => {
    const compose = await read('docker-compose.yml')
    const provider = await read('infra/grafana/provisioning/dashboards/hairpin.yml')
    const folder = /path: (\S+)/.exec(provider)?.[1]
    expect(compose).toContain(`./infra/grafana/dashboards:${folder}:ro`)
    expect(compose).toContain('./infra/grafana/provisioning:/etc/grafana/provisioning:ro')
    expect(compose).toContain(`GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: ${folder}/relay.json`)
  })
})

// The image's own entry point is replaced by one that prints what it was given.
describe.skipIf(!has('docker'))("Grafana's start script", () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hairpin-grafana-'))
    await chmod(folder, 0o777)
    await writeFile(join(folder, 'run.sh'), '#!/bin/sh\ncat "$GF_SECURITY_ADMIN_PASSWORD__FILE"; echo " $*"\n')
    await chmod(join(folder, 'run.sh'), 0o755)
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  const start = () =>
    exec(
      'docker',
      ...['run', '--rm', '--user', '472:0', '--read-only', '--cap-drop', 'ALL', '--network', 'none'],
      ...['-v', `${join(root, 'infra/grafana/start.sh')}:/etc/hairpin/start.sh:ro`],
      ...['-v', `${join(folder, 'run.sh')}:/run.sh:ro`, '-v', `${folder}:/var/lib/grafana`],
      ...['node:24-bookworm-slim', '/bin/sh', '/etc/hairpin/start.sh', '--flag'],
    )

  test('generates the password once, readable by Grafana alone', async () => {
    const first = await start()
    expect(first).toMatch(/^[\w-]{32} --flag\n$/)
    expect(await start()).toBe(first)
    const { mode, uid } = await stat(join(folder, 'admin-password'))
    expect([mode & 0o777, uid]).toEqual([0o600, 472])
  })
})
