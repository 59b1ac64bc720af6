import type { DashboardNow, DashboardUsage } from '../../../services/turn/src/dashboard/data.ts'
import { bytes, duration, money } from './format.ts'

interface TableProps {
  readonly id: string
  readonly heads: readonly string[]
  readonly rows: ReadonlyArray<readonly string[]>
  readonly empty: string
}

/** The first column names the row, the others are figures. */
export function Table({ id, heads, rows, empty }: TableProps) {
  if (rows.length === 0) return <p class="hint">{empty}</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it with the keyboard
    <section class="scroll" aria-label={`Table of ${heads[0]?.toLowerCase()}s`} tabIndex={0}>
      <table aria-labelledby={id}>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...figures]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {figures.map((figure, at) => (
                <td key={heads[at + 1]}>{figure}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

export function TopApps({ now: { apps, currency } }: { readonly now: DashboardNow }) {
  const rows = apps.map(({ app, month, today, bytes: billable, allocations }) => [
    app,
    money(month, currency),
    money(today, currency),
    bytes(billable),
    String(allocations),
  ])
  return (
    <Table
      id="apps"
      heads={['App', 'Month', 'Today', 'Billable', 'Live']}
      rows={rows}
      empty="Nothing was relayed this month."
    />
  )
}

export function TopUsers({ usage, currency }: { readonly usage: DashboardUsage; readonly currency: string }) {
  const rows = usage.users.map(({ app = '', user = '', cost, billableBytes, calls, seconds }) => [
    user === '' ? `${app} (no name)` : `${app}/${user}`,
    money(cost, currency),
    bytes(billableBytes),
    String(calls),
    duration(seconds),
  ])
  return (
    <Table
      id="users"
      heads={['User', 'Month', 'Billable', 'Calls', 'Time']}
      rows={rows}
      empty="Nothing was relayed this month."
    />
  )
}

/** In each provider's own currency: there are no exchange rates here. */
export function Providers({ usage, now }: { readonly usage: DashboardUsage; readonly now: DashboardNow }) {
  const { price, cost, currency, bytes: billable } = now
  const listed = usage.providers.some(({ id }) => id === price.id)
  const own = [`${price.name} (in force)`, money(cost.month, currency), bytes(billable.month), price.confidence]
  const rows = usage.providers.map(({ id, name, cost, currency, billableBytes, confidence }) => [
    id === price.id ? `${name} (in force)` : name,
    money(cost, currency),
    bytes(billableBytes),
    confidence,
  ])
  return (
    <Table
      id="providers"
      heads={['Provider', 'Cost', 'It would bill', 'Source']}
      rows={listed ? rows : [own, ...rows]}
      empty="The price table is empty."
    />
  )
}
