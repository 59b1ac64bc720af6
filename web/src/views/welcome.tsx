import type { View } from '../state/session.ts'
import { Bend } from './bend.tsx'
import { RelaySwitch } from './relay-switch.tsx'

interface WelcomeProps {
  readonly view: View
  readonly onRelayOnly: (on: boolean) => void
}

/** The stage while nothing plays. */
export function Welcome({ view, onRelayOnly }: WelcomeProps) {
  return (
    <div class="card welcome">
      <Bend />
      <h2>{view.preparing === undefined ? 'Pick somebody to call' : `Calling ${view.preparing}`}</h2>
      <p>
        {view.preparing === undefined
          ? 'Camera and microphone open when the call starts, and not before.'
          : 'Waiting for camera and microphone. Your browser may be asking for them.'}
      </p>
      <RelaySwitch checked={view.relayOnly} onChange={onRelayOnly} />
    </div>
  )
}
