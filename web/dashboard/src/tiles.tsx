import type { DashboardNow } from '../../../services/turn/src/dashboard/data.ts'
import { bitsPerSecond, bytes, money } from './format.ts'

export function Tiles({ now }: { readonly now: DashboardNow }) {
  const { cost, currency, bytes: billable } = now
  const last = now.bandwidth.at(-1)
  return (
    <dl class="tiles">
      <Tile
        id="bandwidth"
        name="Sent now"
        value={bitsPerSecond(last ? last.toClients + last.toPeers : 0)}
        note="on the wire"
      />
      <Tile id="allocations" name="Allocations" value={String(now.allocations)} note="live" />
      <Tile
        id="today"
        name="Cost today"
        value={money(cost.today, currency)}
        note={`${bytes(billable.today)} billable`}
      />
      <Tile
        id="month"
        name="Cost this month"
        value={money(cost.month, currency)}
        note={`${bytes(billable.month)} billable`}
      />
      <Tile id="forecast" name="Forecast" value={money(cost.forecast, currency)} note="whole month, at this pace" />
    </dl>
  )
}

interface TileProps {
  readonly id: string
  readonly name: string
  readonly value: string
  readonly note: string
}

function Tile({ id, name, value, note }: TileProps) {
  return (
    <div class="tile" data-testid={`tile-${id}`}>
      <dt>{name}</dt>
      <dd class="tile-value">{value}</dd>
      <dd class="hint">{note}</dd>
    </div>
  )
}
