import { useState } from 'preact/hooks'
import { Switch } from '../ui/switch.tsx'

interface AbsentProps {
  readonly busy: boolean
  readonly rings: boolean | undefined
  readonly onCall: (name: string) => void
  readonly onRing: (on: boolean) => void
}

/** Calls to people who are not here but may be woken, and being such a one. `rings` undefined: this browser cannot. */
export function Absent({ busy, rings, onCall, onRing }: AbsentProps) {
  const [name, setName] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    if (name.trim() !== '') onCall(name.trim())
  }
  return (
    <div class="absent">
      <form class="chat-form" onSubmit={submit}>
        <input
          aria-label="Name of somebody who is not here"
          placeholder="Someone not here"
          data-testid="absent-name"
          value={name}
          maxLength={64}
          autocomplete="off"
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="submit" class="button" data-testid="absent-call" disabled={busy || name.trim() === ''}>
          Call
        </button>
      </form>
      {rings !== undefined && (
        <Switch
          label="Ring when this page is closed"
          hint="By a notification of this browser."
          testId="ring-closed"
          checked={rings}
          onChange={onRing}
        />
      )}
    </div>
  )
}
