import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const file = join(import.meta.dirname, '..', '..', 'infra', 'grafana', 'dashboards', 'relay.json')

export interface Dashboard {
  readonly uid: string
  readonly panels: readonly Panel[]
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly datasource: { readonly type: string; readonly uid: string }
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: ReadonlyArray<{
    readonly refId: string
    readonly expr: string
    readonly datasource: { readonly uid: string }
  }>
}

export async function dashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(file, 'utf8')) as Dashboard
}

/** Every query of the dashboard with the title of its panel. */
export async function dashboardPanels(): Promise<{ title: string; query: string }[]> {
  const { panels } = await dashboard()
  return panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, query: expr })))
}
