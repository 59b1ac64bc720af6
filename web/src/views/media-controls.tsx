import type { Call, Room } from '@hairpin/client'
import { useEffect, useState } from 'preact/hooks'
import { chosen, type Device, type DeviceKind, listDevices, shareScreen, turnOn, useDevice } from '../state/devices.ts'
import { Camera, Mic, Screen } from '../ui/icons.tsx'
import { Toggle } from '../ui/toggle.tsx'

interface MediaControlsProps {
  readonly session: Call | Room
  /** A device could not be opened. */
  readonly onFailed: (error: unknown) => void
}

/** What is sent: mute, camera off, screen, and which devices. The same in calls and rooms. */
export function MediaControls({ session, onFailed }: MediaControlsProps) {
  const [stop, setStop] = useState<{ readonly run: () => Promise<void> }>()
  const { localStream } = session
  const has = (kind: DeviceKind) => localStream?.getTracks().some((track) => track.kind === kind) ?? false
  const canShare = navigator.mediaDevices && 'getDisplayMedia' in navigator.mediaDevices

  // Who came without a camera may turn it on later.
  const toggleCamera = () => {
    if (has('video')) session.setCameraOff(!session.cameraOff)
    else turnOn(session, 'video').catch(onFailed)
  }
  const toggleScreen = async () => {
    if (stop) return stop.run()
    const run = await shareScreen(session, () => setStop(undefined)).catch(() => undefined)
    if (run) setStop({ run })
  }

  return (
    <>
      <Toggle
        testId="mute"
        on={session.muted}
        name="Mute"
        disabled={!has('audio')}
        onClick={() => session.setMuted(!session.muted)}
      >
        <Mic off={session.muted} />
      </Toggle>
      <Toggle
        testId="camera"
        on={session.cameraOff || !has('video')}
        name="Camera off"
        disabled={!navigator.mediaDevices}
        onClick={toggleCamera}
      >
        <Camera off={session.cameraOff || !has('video')} />
      </Toggle>
      {canShare && (
        <Toggle testId="screen" on={stop !== undefined} name="Share screen" onClick={() => void toggleScreen()}>
          <Screen />
        </Toggle>
      )}
    </>
  )
}

/** Shown where there is a choice. */
export function DevicePickers({ session }: { readonly session: Call | Room }) {
  const [devices, setDevices] = useState<readonly Device[]>([])

  useEffect(() => {
    const media = navigator.mediaDevices
    const refresh = () => void listDevices().then(setDevices)
    refresh()
    media?.addEventListener('devicechange', refresh)
    return () => media?.removeEventListener('devicechange', refresh)
  }, [session.localStream])

  return (
    <div class="devices">
      <Picker session={session} kind="audio" name="Microphone" devices={devices} />
      <Picker session={session} kind="video" name="Camera" devices={devices} />
    </div>
  )
}

interface PickerProps {
  readonly session: Call | Room
  readonly kind: DeviceKind
  readonly name: string
  readonly devices: readonly Device[]
}

function Picker({ session, kind, name, devices }: PickerProps) {
  const own = devices.filter((device) => device.kind === kind)
  if (own.length < 2) return null
  return (
    <label class="device">
      <span>{name}</span>
      <select
        data-testid={`pick-${kind}`}
        value={chosen(session.localStream, kind)}
        onChange={(event) => void useDevice(session, kind, event.currentTarget.value).catch(() => undefined)}
      >
        {own.map(({ id, label }) => (
          <option key={id} value={id}>
            {label || name}
          </option>
        ))}
      </select>
    </label>
  )
}
