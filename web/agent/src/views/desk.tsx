import { useEffect, useState } from 'preact/hooks'
import { chosen, type Device, listDevices } from '../../../src/state/devices.ts'
import { Avatar } from '../../../src/ui/avatar.tsx'
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

/** Shown where there is a choice. */
function MicrophonePicker({ view, session }: { readonly view: View; readonly session: AgentSession }) {
  const [devices, setDevices] = useState<readonly Device[]>([])
  const [picked, setPicked] = useState(chosenMicrophone() ?? '')
  const { call } = view

  useEffect(() => {
    const media = navigator.mediaDevices
    const refresh = () => void listDevices().then(setDevices)
    refresh()
    media?.addEventListener('devicechange', refresh)
    return () => media?.removeEventListener('devicechange', refresh)
  }, [call?.localStream, view.available])

  const microphones = devices.filter(({ kind }) => kind === 'audio')
  if (microphones.length < 2) return null
  const wished = microphones.some(({ id }) => id === picked) ? picked : microphones[0]?.id
  return (
    <label class="device">
      <span>Microphone</span>
      <select
        data-testid="pick-audio"
        value={chosen(call?.localStream, 'audio') || wished}
        onChange={({ currentTarget }) => {
          setPicked(currentTarget.value)
          void session.useMicrophone(currentTarget.value)
        }}
      >
        {microphones.map(({ id, label }) => (
          <option key={id} value={id}>
            {label || 'Microphone'}
          </option>
        ))}
      </select>
    </label>
  )
}
