import { useState } from 'preact/hooks'
import { chosen } from '../../../src/state/devices.ts'
import { Avatar } from '../../../src/ui/avatar.tsx'
import { DevicePicker, useDevices } from '../../../src/ui/device-picker.tsx'
import { Switch } from '../../../src/ui/switch.tsx'
import { chosenMicrophone } from '../state/microphone.ts'
import type { AgentSession, View } from '../state/session.ts'

/** Whether calls come here, by which microphone one speaks, and who else is here. */
export function DeskPanel({ view, session }: { readonly view: View; readonly session: AgentSession }) {
  const { available, call, others, wanted } = view
  return (
    <aside class="card desk-panel" aria-label="Desk">
      <Switch
        label="Available"
        hint={hintOf(view)}
        checked={wanted}
        testId="available"
        onChange={(on) => void session.setAvailable(on)}
      />
      <MicrophonePicker view={view} session={session} />
      {available && (
        <>
          <h2>
            Other agents <span class="count">{others.length}</span>
          </h2>
          <ul>
            {others.map(({ name, free }) => (
              <li key={name} class="person">
                <Avatar name={session.labelOf(name)} />
                <span class="person-name">{session.labelOf(name)}</span>
                <span class="tag">{free ? 'free' : 'in a call'}</span>
              </li>
            ))}
          </ul>
          {others.length === 0 && <p class="hint">Nobody else takes calls now.</p>}
        </>
      )}
      {call && !wanted && <p class="hint">No more calls after this one.</p>}
    </aside>
  )
}

function hintOf({ available, call, preparing, wanted }: View): string {
  if (preparing === 'available') return 'Opening the microphone…'
  if (wanted && !available) return 'Waiting for the service that brings the calls.'
  if (!available) return 'Customers’ calls do not ring here.'
  return call ? 'You are in a call: nothing rings meanwhile.' : 'Customers’ calls ring here.'
}

function MicrophonePicker({ view, session }: { readonly view: View; readonly session: AgentSession }) {
  const [picked, setPicked] = useState(chosenMicrophone() ?? '')
  const { available, call } = view
  const devices = useDevices([call?.localStream, available])
  const microphones = devices.filter(({ kind }) => kind === 'audio')
  const wished = microphones.some(({ id }) => id === picked) ? picked : microphones[0]?.id
  return (
    <DevicePicker
      kind="audio"
      name="Microphone"
      devices={microphones}
      value={chosen(call?.localStream, 'audio') || wished}
      onPick={(id) => {
        setPicked(id)
        void session.useMicrophone(id)
      }}
    />
  )
}
