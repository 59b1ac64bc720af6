import { clientErrors } from '@hairpin/client'
import { useRef, useState } from 'preact/hooks'
import { NameField } from '../../../src/ui/name-field.tsx'
import { Bend } from '../../../src/views/bend.tsx'
import type { View } from '../state/session.ts'

interface JoinProps {
  readonly view: View
  readonly onJoin: (name: string, token: string) => void
  readonly onCancel: () => void
}

export function JoinView({ view, onJoin, onCancel }: JoinProps) {
  const [name, setName] = useState('')
  const [token, setToken] = useState('')
  const [missing, setMissing] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const joining = view.connection === 'connecting'

  const submit = (event: Event) => {
    event.preventDefault()
    const nobody = name.trim() === '' && token.trim() === '' && !view.invited
    setMissing(nobody)
    if (nobody) field.current?.focus()
    else onJoin(name.trim(), token.trim())
  }

  return (
    <main class="join">
      <div class="join-text">
        <h1>Customers’ calls, in this page.</h1>
        <p>
          When a customer calls the business on WhatsApp, this page rings. Take the call, hold it, hand it to a
          colleague; or call a customer who allows it.
        </p>
        <Bend />
      </div>
      <form class="card join-form" onSubmit={submit} noValidate>
        {view.invited ? (
          <p>The address brought an agent’s token.</p>
        ) : (
          <>
            <NameField
              field={field}
              value={name}
              onValue={setName}
              missing={missing}
              hint="Enough where guests may be agents."
              problem="Type a name, or paste a token."
            />
            <label for="token">Or an agent’s token</label>
            <input
              id="token"
              class="field"
              data-testid="token-input"
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
              autocomplete="off"
              spellcheck={false}
            />
          </>
        )}
        {!navigator.mediaDevices && (
          <p class="notice notice-problem" data-testid="insecure">
            {clientErrors.MEDIA_INSECURE_CONTEXT} Open this page by HTTPS.
          </p>
        )}
        <button type="submit" class="button button-primary button-wide" data-testid="join" disabled={joining}>
          {joining ? 'Joining…' : 'Join and take calls'}
        </button>
        {joining && (
          <button type="button" class="button button-quiet button-wide" onClick={onCancel}>
            Cancel
          </button>
        )}
      </form>
    </main>
  )
}
