/** What the dashboards are made of: panels of one look, in rows that fill the grid. */
import {
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { type Dashboard, DashboardBuilder, DashboardCursorSync } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** As in infra/grafana/provisioning/datasources. */
const source = { type: 'prometheus', uid: 'hairpin-prometheus' }

/** Columns of Grafana's grid. */
const COLUMNS = 24

export interface PanelSpec {
  readonly kind: 'stat' | 'graph'
  readonly title: string
  /** PromQL. */
  readonly query: string
  /** Of a series; what is in braces is a label. */
  readonly legend?: string
  /** Grafana's name of a unit. */
  readonly unit?: string
  readonly decimals?: number
  readonly stacked?: boolean
  readonly description?: string
}

export interface DashboardSpec {
  readonly uid: string
  readonly title: string
  readonly rows: ReadonlyArray<readonly PanelSpec[]>
}

export function build({ uid, title, rows }: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .tags(['hairpin'])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-30m', to: 'now' })
    .timezone('browser')
    .refresh('5s')
    .variables([])
    .annotations([])
  let id = 0
  let y = 0
  for (const row of rows) {
    const h = row.every(({ kind }) => kind === 'stat') ? 4 : 9
    const w = COLUMNS / row.length
    for (const [at, spec] of row.entries())
      builder.withPanel(
        panel(spec)
          .id(++id)
          .gridPos({ x: at * w, y, w, h }),
      )
    y += h
  }
  return builder.build()
}

function panel(spec: PanelSpec): StatBuilder | TimeseriesBuilder {
  const { kind, title, unit = 'none', decimals, description } = spec
  const made = kind === 'stat' ? stat() : graph(spec)
  made.title(title).datasource(source).unit(unit).noValue('0').withTarget(target(spec))
  if (decimals !== undefined) made.decimals(decimals)
  if (description !== undefined) made.description(description)
  return made
}

function stat(): StatBuilder {
  return new StatBuilder().reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
}

function graph({ stacked = false }: PanelSpec): TimeseriesBuilder {
  return new TimeseriesBuilder()
    .min(0)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(15)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None).group('A'))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
}

function target({ query, legend }: PanelSpec): DataqueryBuilder {
  const made = new DataqueryBuilder().refId('A').datasource(source).expr(query).range()
  return legend === undefined ? made : made.legendFormat(legend)
}
