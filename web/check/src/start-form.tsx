import { useState } from 'preact/hooks'

interface StartFormProps {
  readonly running: boolean
  readonly again: boolean
  /** @param bearer API key or signaling token; undefined: as a guest */
  readonly onStart: (bearer: string | undefined) => void
}

/** Nothing is sent before it is asked for. */
export function StartForm({ running, again, onStart }: StartFormProps) {
  const [bearer, setBearer] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    if (!running) onStart(bearer.trim() === '' ? undefined : bearer.trim())
  }
  return (
    <form class="start" onSubmit={submit}>
      <button type="submit" class="button button-primary" data-testid="start" disabled={running}>
        {running ? 'Checking …' : again ? 'Check again' : 'Start the check'}
      </button>
      <details>
        <summary>This server admits no guests?</summary>
        <label for="bearer">Signaling token or API key</label>
        <input
          id="bearer"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={bearer}
          data-testid="bearer"
          onInput={({ currentTarget }) => setBearer(currentTarget.value)}
        />
        <p class="hint">It goes to this server alone and stands in no report.</p>
      </details>
    </form>
  )
}
