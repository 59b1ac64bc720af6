import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..', '..', 'infra', 'grafana', 'dashboards')

export interface Dashboard {
  readonly uid: string
  readonly title: string
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

/** Text of each provisioned file by its name. */
export async function dashboardFiles(): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort()
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  )
}

export async function dashboards(): Promise<Dashboard[]> {
  return [...(await dashboardFiles()).values()].map((text) => JSON.parse(text) as Dashboard)
}

/** Every query of every dashboard with the titles of both. */
export async function dashboardPanels(): Promise<{ title: string; query: string }[]> {
  return (await dashboards()).flatMap(({ title, panels }) =>
    panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ title: `${title}: ${panel.title}`, query: expr }))),
  )
}
