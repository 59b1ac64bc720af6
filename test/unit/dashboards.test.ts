import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dashboards as generated } from '../../infra/grafana/src/generate.ts'
import { dashboardFiles, dashboardPanels, dashboards } from '../helpers/dashboard.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe("Grafana's dashboards", () => {
  test('are what their sources generate (node infra/grafana/src/generate.ts)', async () => {
    expect(Object.fromEntries(await dashboardFiles())).toEqual(Object.fromEntries(generated()))
  })

  test('have panels that use the provisioned data source and do not overlap', async () => {
    const source = /uid: (\S+)/.exec(read('infra/grafana/provisioning/datasources/prometheus.yml'))?.[1]
    const all = await dashboards()
    expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length)
    for (const { panels } of all) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
      const cells = new Set<string>()
      for (const { title, datasource, gridPos, targets } of panels) {
        expect(datasource.uid, title).toBe(source)
        expect(targets.length, title).toBeGreaterThan(0)
        for (const target of targets) expect(target.datasource.uid, title).toBe(source)
        expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(cells.has(`${x},${y}`), `${title} overlaps`).toBe(false)
            cells.add(`${x},${y}`)
          }
      }
    }
  })
})

test('dashboards and rules ask only for metrics that docs/METRICS.md names', async () => {
  const documented = new Set([...read('docs/METRICS.md').matchAll(/^\| `(hairpin_\w+)`/gm)].map(([, name]) => name))
  const rules = globSync('infra/prometheus/rules/*.yml', { cwd: root }).map(read).join('\n')
  const recorded = new Set([...rules.matchAll(/record: (\S+)/g)].map(([, name]) => name))
  const asked = [rules, ...(await dashboardPanels()).map(({ query }) => query)].join('\n')
  const unknown = new Set<string>()
  for (const [name] of asked.matchAll(/[\w:]*hairpin_\w+[\w:]*|hairpin:[\w:]+/g))
    if (!documented.has(name.replace(/_(bucket|sum|count)$/, '')) && !documented.has(name) && !recorded.has(name))
      unknown.add(name)
  expect([...unknown]).toEqual([])
})
