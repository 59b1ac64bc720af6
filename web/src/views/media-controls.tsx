import type { Call, Room } from '@hairpin/client'
import { useState } from 'preact/hooks'
import { chosen, type DeviceKind, shareScreen, turnOn, useDevice } from '../state/devices.ts'
import { DevicePicker, useDevices } from '../ui/device-picker.tsx'
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

/** Each shown where there is a choice. */
export function DevicePickers({ session }: { readonly session: Call | Room }) {
  const devices = useDevices([session.localStream])
  const picker = (kind: DeviceKind, name: string) => (
    <DevicePicker
      kind={kind}
      name={name}
      devices={devices}
      value={chosen(session.localStream, kind)}
      onPick={(id) => void useDevice(session, kind, id).catch(() => undefined)}
    />
  )
  return (
    <div class="devices">
      {picker('audio', 'Microphone')}
      {picker('video', 'Camera')}
    </div>
  )
}
