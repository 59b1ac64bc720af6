import { useEffect, useRef } from 'preact/hooks'
import type { View } from '../state/session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Camera, Phone } from '../ui/icons.tsx'
import { Absent } from './absent.tsx'

interface PeopleProps {
  readonly view: View
  readonly onCall: (peer: string, video?: boolean) => void
  readonly onRing: (on: boolean) => void
}

export function People({ view, onCall, onRing }: PeopleProps) {
  const { call, connection, name, others, preparing, room } = view
  const heading = useRef<HTMLHeadingElement>(null)
  const busy = call !== undefined || room !== undefined || preparing !== undefined || connection !== 'joined'

  // Who came here by keyboard goes on from here: at first, and when the call's controls took the focus with them.
  useEffect(() => {
    if (!busy && document.activeElement === document.body) heading.current?.focus()
  }, [busy])

  return (
    <section class="people card" aria-labelledby="people">
      <h2 id="people" ref={heading} tabIndex={-1}>
        People here <span class="count">{others.length + (name === undefined ? 0 : 1)}</span>
      </h2>
      <ul>
        {name !== undefined && (
          <li class="person person-self">
            <Avatar name={name} />
            <span class="person-name">{name}</span>
            <span class="tag">you</span>
          </li>
        )}
        {others.map((other) => (
          <li key={other} class="person" data-testid={`user-${other}`}>
            <Avatar name={other} />
            <span class="person-name">{other}</span>
            <button
              type="button"
              class="button button-call"
              data-testid={`call-${other}`}
              aria-label={`Call ${other}`}
              disabled={busy}
              onClick={() => onCall(other)}
            >
              <Camera off={false} /> Call
            </button>
            <button
              type="button"
              class="button button-call button-call-audio"
              data-testid={`call-audio-${other}`}
              aria-label={`Call ${other} without camera`}
              title="Without camera"
              disabled={busy}
              onClick={() => onCall(other, false)}
            >
              <Phone />
            </button>
          </li>
        ))}
      </ul>
      <Absent busy={busy} rings={view.rings} onCall={onCall} onRing={onRing} />
      {others.length === 0 && <p class="hint">Nobody else yet. Open this page in another window, or on your phone.</p>}
    </section>
  )
}
