import { duration } from '../../../src/format.ts'
import { callerText, numberText, outcomeText, timeText } from '../format.ts'
import type { PastCall } from '../state/history.ts'
import { Inward, Outward } from './icons.tsx'

interface HistoryProps {
  readonly calls: readonly PastCall[]
  readonly onRedial: (number: string) => void
  readonly onClear: () => void
}

/** The last calls of this browser. */
export function HistoryList({ calls, onRedial, onClear }: HistoryProps) {
  return (
    <section class="card history" aria-labelledby="history">
      <div class="history-head">
        <h2 id="history">Last calls</h2>
        {calls.length > 0 && (
          <button type="button" class="button button-quiet" data-testid="clear-history" onClick={onClear}>
            Clear
          </button>
        )}
      </div>
      <p class="hint">Kept in this browser only.</p>
      <ul>
        {calls.map((call) => (
          <Entry key={`${call.at} ${call.number}`} call={call} onRedial={onRedial} />
        ))}
      </ul>
      {calls.length === 0 && <p class="hint">None yet.</p>}
    </section>
  )
}

function Entry({ call, onRedial }: { readonly call: PastCall; readonly onRedial: (number: string) => void }) {
  const { at, direction, number, reason } = call
  const who = callerText(call)
  return (
    <li class="history-call" data-testid="past-call">
      <span class="history-direction" role="img" aria-label={direction === 'user' ? 'Incoming' : 'Outgoing'}>
        {direction === 'user' ? <Inward /> : <Outward />}
      </span>
      <span class="history-who">
        <strong>{who}</strong>
        <span class="quiet">
          {outcomeText(reason, call.duration !== undefined)}
          {call.duration !== undefined && ` ${duration(call.duration)}`} · {timeText(at)}
        </span>
      </span>
      {number !== undefined && (
        <button
          type="button"
          class="button button-call"
          aria-label={`Call back ${who}, ${numberText(number)}`}
          onClick={() => onRedial(`+${number}`)}
        >
          Call back
        </button>
      )}
    </li>
  )
}
