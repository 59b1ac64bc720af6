import type { View } from '../state/session.ts'
import { Bend } from './bend.tsx'
import { RelaySwitch } from './relay-switch.tsx'

interface WelcomeProps {
  readonly view: View
  readonly onRelayOnly: (on: boolean) => void
  readonly onOpenRoom: () => void
}

/** The stage while nothing plays. */
export function Welcome({ view, onRelayOnly, onOpenRoom }: WelcomeProps) {
  return (
    <div class="card welcome">
      <Bend />
      <h2>{view.preparing === undefined ? 'Pick somebody to call' : view.preparing}</h2>
      <p>
        {view.preparing === undefined
          ? 'Camera and microphone open when the call starts, and not before.'
          : 'Waiting for camera and microphone. Your browser may be asking for them.'}
      </p>
      <button
        type="button"
        class="button"
        data-testid="open-room"
        disabled={view.preparing !== undefined || view.connection !== 'joined'}
        onClick={onOpenRoom}
      >
        Open a room
      </button>
      <RelaySwitch checked={view.relayOnly} onChange={onRelayOnly} />
    </div>
  )
}
