import type { CallStatsSample } from '@hairpin/client'
import { useEffect, useState } from 'preact/hooks'
import { type CallCost, CostMeter, type Price } from '../cost.ts'
import { amount } from '../format.ts'

/** What the call has cost so far and would cost in an hour. Nothing while that is not known. */
export function CostLine({ stats }: { readonly stats: CallStatsSample | undefined }) {
  const price = usePrice()
  const cost = useCost(price, stats)
  if (!price || !cost || !stats?.pair) return null
  const title = `${price.name}: ${price.price} ${price.currency} for ${price.unit / 1e9 === 1 ? 'a GB' : 'a GiB'}, free allowance aside`
  return (
    <p class="pair-line" data-testid="cost-line" data-cost={cost.soFar} title={title}>
      <span class="quiet">relay cost</span> {amount(cost.soFar, price.currency)}
      {cost.perHour !== undefined && (
        <>
          {' '}
          <span class="quiet">an hour</span> {amount(cost.perHour, price.currency)}
        </>
      )}
    </p>
  )
}

function usePrice(): Price | undefined {
  const [price, setPrice] = useState<Price>()
  useEffect(() => {
    fetch('/api/v1/price')
      .then(async (answer) => answer.ok && setPrice(await answer.json()))
      // The call goes on without it.
      .catch(() => undefined)
  }, [])
  return price
}

function useCost(price: Price | undefined, stats: CallStatsSample | undefined): CallCost | undefined {
  const [meter, setMeter] = useState<CostMeter>()
  const [cost, setCost] = useState<CallCost>()
  useEffect(() => setMeter(price && new CostMeter(price)), [price])
  useEffect(() => {
    if (meter && stats) setCost(meter.observe(stats))
  }, [meter, stats])
  return cost
}
