import { clientErrors } from '@hairpin/client'
import { useRef, useState } from 'preact/hooks'
import { mediaObstacle, type View } from '../state/session.ts'
import { NameField } from '../ui/name-field.tsx'
import { Bend } from './bend.tsx'

interface JoinProps {
  readonly view: View
  /** The page's address is an invitation to a room. */
  readonly invited: boolean
  readonly onJoin: (name: string) => void
  readonly onCancel: () => void
}

export function JoinView({ view, invited, onJoin, onCancel }: JoinProps) {
  const [name, setName] = useState('')
  const [missing, setMissing] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const obstacle = mediaObstacle()
  const joining = view.connection === 'connecting'

  const submit = (event: Event) => {
    event.preventDefault()
    setMissing(name.trim() === '')
    if (name.trim() === '') field.current?.focus()
    else onJoin(name.trim())
  }

  return (
    <main class="join">
      <div class="join-text">
        <h1>{invited ? 'You are invited to a room.' : 'Calls over your own relay.'}</h1>
        <p>
          Join from two windows, or send a colleague this page’s address. When no direct way exists, this server carries
          the call; the page says which way it took.
        </p>
        <Bend />
      </div>
      <form class="card join-form" onSubmit={submit} noValidate>
        <NameField
          field={field}
          value={name}
          onValue={setName}
          missing={missing}
          hint="The others here see it. Nothing is stored."
          problem="Type a name first."
        />
        {obstacle === 'MEDIA_INSECURE_CONTEXT' && (
          <p class="notice notice-problem" data-testid="insecure">
            {clientErrors[obstacle]} Open this page by HTTPS, or join to see and hear only.
          </p>
        )}
        {obstacle === 'WEBRTC_UNSUPPORTED' && (
          <p class="notice notice-problem">This browser has no WebRTC: calls cannot work here.</p>
        )}
        <button
          type="submit"
          class="button button-primary button-wide"
          data-testid="join"
          disabled={joining || obstacle === 'WEBRTC_UNSUPPORTED'}
        >
          {joining ? 'Joining…' : obstacle ? 'Join without camera' : 'Join'}
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
