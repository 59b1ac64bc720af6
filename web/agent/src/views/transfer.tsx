import type { Agent, AgentCall } from '@hairpin/client'
import { Avatar } from '../../../src/ui/avatar.tsx'

interface TransferProps {
  readonly call: AgentCall
  readonly others: readonly Agent[]
  readonly labelOf: (name: string) => string
}

/** Hands the call over to an agent who has none. */
export function TransferPanel({ call, others, labelOf }: TransferProps) {
  const { transferringTo } = call
  return (
    <section class="transfer" aria-labelledby="transfer">
      <h3 id="transfer">Hand over</h3>
      {transferringTo !== undefined ? (
        <p class="transfer-row" role="status">
          <span>Ringing at {labelOf(transferringTo)}…</span>
          <button type="button" class="button" data-testid="keep" onClick={() => call.keep()}>
            Keep the call
          </button>
        </p>
      ) : (
        <ul>
          {others.map(({ name, free }) => (
            <li key={name} class="transfer-row">
              <Avatar name={labelOf(name)} />
              <span class="person-name">{labelOf(name)}</span>
              <button
                type="button"
                class="button"
                data-testid={`transfer-${name}`}
                aria-label={`Hand over to ${labelOf(name)}`}
                disabled={!free}
                onClick={() => call.transfer(name)}
              >
                {free ? 'Hand over' : 'In a call'}
              </button>
            </li>
          ))}
        </ul>
      )}
      {others.length === 0 && <p class="hint">No other agent is here.</p>}
    </section>
  )
}
