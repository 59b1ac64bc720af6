import type { AgentCall } from '@hairpin/client'
import { Avatar } from '../../../src/ui/avatar.tsx'
import { Dialog } from '../../../src/ui/dialog.tsx'
import { HangUp, Phone } from '../../../src/ui/icons.tsx'
import { callerText, numberText } from '../format.ts'

interface IncomingProps {
  readonly calls: readonly AgentCall[]
  readonly preparing: boolean
  readonly labelOf: (agent: string) => string
  readonly onTake: (call: AgentCall) => void
}

/** The calls that ring, the one that waits longest first. */
export function IncomingSheet({ calls, preparing, labelOf, onTake }: IncomingProps) {
  const [only] = calls.length === 1 ? calls : []
  return (
    <Dialog
      title={only ? `${callerText(only.caller)} is calling` : `${calls.length} customers are calling`}
      testId="incoming"
      // With several, nobody can know which one is meant.
      onEscape={() => only?.decline()}
    >
      <ul class="ringing" aria-live="polite">
        {calls.map((call, index) => {
          const who = callerText(call.caller)
          return (
            <li key={call.id} class="ringing-call" data-testid="ringing-call">
              <span class={only ? 'ringing-avatar' : ''}>
                <Avatar name={who} large={only !== undefined} />
              </span>
              <p class="ringing-name">
                {!only && <strong>{who}</strong>}
                {call.caller.name !== undefined && <span class="quiet">{numberText(call.caller.number)}</span>}
                {call.transferredBy && <span class="quiet">from {labelOf(call.transferredBy)}</span>}
              </p>
              <div class="dialog-buttons">
                <button
                  type="button"
                  class="button button-danger"
                  data-testid="decline"
                  aria-label={`Decline ${who}`}
                  onClick={() => call.decline()}
                >
                  <HangUp /> Decline
                </button>
                <button
                  type="button"
                  class="button button-go"
                  data-testid="accept"
                  aria-label={`Accept ${who}`}
                  autofocus={index === 0}
                  disabled={preparing}
                  onClick={() => onTake(call)}
                >
                  <Phone /> Accept
                </button>
              </div>
            </li>
          )
        })}
      </ul>
      <p class="hint">
        {preparing
          ? 'Opening the microphone…'
          : only
            ? 'Enter accepts, Escape declines.'
            : 'The first one waits longest.'}
      </p>
    </Dialog>
  )
}
