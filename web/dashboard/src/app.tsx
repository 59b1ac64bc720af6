import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import type { DashboardNow, DashboardUsage } from '../../../services/turn/src/dashboard/data.ts'
import { Budgets } from './budgets.tsx'
import { Chart } from './chart.tsx'
import { useFeed } from './feed.ts'
import { bitsPerSecond, money } from './format.ts'
import { Providers, TopApps, TopUsers } from './tables.tsx'
import { Tiles } from './tiles.tsx'

export function App() {
  const { data: now, lost } = useFeed<DashboardNow>('/dashboard/now', 2000)
  const { data: usage } = useFeed<DashboardUsage>('/dashboard/usage', 20_000)
  return (
    <>
      <header class="top">
        <h1>Cost and traffic</h1>
        {now && (
          <p class="hint">
            Price: {now.price.name}, billed by {now.price.basis}. Days and months are UTC.
          </p>
        )}
      </header>
      <main>
        <div role="status">
          {lost && <p class="notice">The relay does not answer; what is shown may be old.</p>}
          {now && !now.ledger && <p class="notice">The ledger cannot be written: usage waits in memory.</p>}
        </div>
        {now ? <Now now={now} usage={usage} /> : <p class="hint">Asking the relay …</p>}
      </main>
    </>
  )
}

function Now({ now, usage }: { readonly now: DashboardNow; readonly usage: DashboardUsage | undefined }) {
  const waiting = <p class="hint">Asking the ledger …</p>
  return (
    <>
      <Tiles now={now} />
      <Card id="live" title="Bandwidth, last ten minutes" wide>
        <Bandwidth points={now.bandwidth} />
      </Card>
      <Card id="budgets" title="Budgets">
        <Budgets budgets={now.budgets} />
      </Card>
      <Card id="apps" title="Apps this month">
        <TopApps now={now} />
      </Card>
      <Card id="users" title="Users this month">
        {usage ? <TopUsers usage={usage} currency={now.currency} /> : waiting}
      </Card>
      <Card id="days" title="Cost by day">
        {usage ? <Days days={usage.days} currency={now.currency} at={now.at} /> : waiting}
      </Card>
      <Card id="providers" title="This month elsewhere" wide>
        <p class="hint">What the same traffic would have cost, by each provider’s own way of counting.</p>
        {usage ? <Providers usage={usage} now={now} /> : waiting}
      </Card>
    </>
  )
}

interface CardProps {
  readonly id: string
  readonly title: string
  readonly wide?: boolean
  readonly children: ComponentChildren
}

function Card({ id, title, wide = false, children }: CardProps) {
  return (
    <section class={`card ${wide ? 'card-wide' : ''}`} aria-labelledby={id} data-testid={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  )
}

const bandwidthSeries = [
  { label: 'to clients', color: '--accent' },
  { label: 'to peers', color: '--warm' },
]

function Bandwidth({ points }: { readonly points: DashboardNow['bandwidth'] }) {
  const data = useMemo<[number[], number[], number[]]>(
    () => [
      points.map(({ at }) => at / 1000),
      points.map(({ toClients }) => toClients),
      points.map(({ toPeers }) => toPeers),
    ],
    [points],
  )
  if (points.length === 0) return <p class="hint">The first figures come in a few seconds.</p>
  return <Chart label="Bandwidth to clients and to peers" series={bandwidthSeries} data={data} format={bitsPerSecond} />
}

const costSeries = [{ label: 'cost', color: '--accent' }]

interface DaysProps {
  readonly days: DashboardUsage['days']
  readonly currency: string
  readonly at: string
}

function Days({ days, currency, at }: DaysProps) {
  const month = at.slice(0, 7)
  const data = useMemo<[number[], (number | null)[]]>(() => {
    const costs = new Map(days.map(({ day, cost }) => [day, cost]))
    const all = daysOf(month)
    return [
      // Where the browser is, so that the axis names the same days.
      all.map((day) => Date.parse(`${day}T00:00:00`) / 1000),
      all.map((day) => (costs.get(day) == null ? null : Number(costs.get(day)))),
    ]
  }, [days, month])
  if (days.every(({ cost }) => cost === null))
    return <p class="hint">Nothing was relayed this month, or the price is unknown.</p>
  const format = (value: number) => money(String(value), currency)
  return <Chart label="Cost of each day of the month" series={costSeries} data={data} format={format} bars />
}

/** `YYYY-MM-DD` of every day of a month. */
function daysOf(month: string): string[] {
  const [year = 0, number = 0] = month.split('-').map(Number)
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate()
  return Array.from({ length: last }, (_, index) => `${month}-${String(index + 1).padStart(2, '0')}`)
}
