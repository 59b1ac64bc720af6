import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'

export interface ChartSeries {
  readonly label: string
  /** Name of a CSS variable. */
  readonly color: string
}

interface ChartProps {
  /** What the chart shows, for who does not see it. */
  readonly label: string
  readonly series: readonly ChartSeries[]
  /** Seconds since 1970, then the values of each series. */
  readonly data: uPlot.AlignedData
  readonly format: (value: number) => string
  readonly bars?: boolean
}

const HEIGHT = 220

/** A uPlot in the page's colours, as wide as its container. */
export function Chart({ label, series, data, format, bars = false }: ChartProps) {
  const container = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const dark = useDark()

  useEffect(() => {
    const element = container.current
    if (!element) return
    const made = new uPlot(optionsOf(element, series, format, bars), data, element)
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      made.destroy()
    }
  }, [dark])

  useEffect(() => plot.current?.setData(data), [data])
  return <div class="chart" ref={container} role="img" aria-label={label} />
}

/** Whether the page is dark: a chart takes its colours when it is made. */
function useDark(): boolean {
  const query = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), [])
  const [dark, setDark] = useState(query.matches)
  useEffect(() => {
    const changed = () => setDark(query.matches)
    query.addEventListener('change', changed)
    return () => query.removeEventListener('change', changed)
  }, [query])
  return dark
}

function optionsOf(
  element: HTMLElement,
  series: readonly ChartSeries[],
  format: (value: number) => string,
  bars: boolean,
): uPlot.Options {
  const color = (name: string) => () => getComputedStyle(element).getPropertyValue(name).trim()
  const grid = { stroke: color('--line'), width: 1 }
  const axis = { stroke: color('--quiet'), grid, ticks: grid, font: '12px system-ui, sans-serif' }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false } },
    legend: { live: true },
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [axis, { ...axis, size: 84, values: (_plot, ticks) => ticks.map((value) => format(value)) }],
    series: [
      { value: bars ? '{YYYY}-{MM}-{DD}' : '{HH}:{mm}:{ss}' },
      ...series.map(({ label, color: name }) => ({
        label,
        stroke: color(name),
        width: 2,
        points: { show: false },
        value: (_plot: uPlot, value: number | null) => (value === null ? '–' : format(value)),
        ...(bars ? { fill: color(name), paths: uPlot.paths.bars!({ size: [0.6, 40] }) } : {}),
      })),
    ],
  }
}
