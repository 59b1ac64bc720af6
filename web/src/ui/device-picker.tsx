import { useEffect, useState } from 'preact/hooks'
import { type Device, type DeviceKind, listDevices } from '../state/devices.ts'

/** Cameras and microphones as they come and go. @param causes they are looked for anew when one of these changes */
export function useDevices(causes: readonly unknown[]): readonly Device[] {
  const [devices, setDevices] = useState<readonly Device[]>([])
  useEffect(() => {
    const media = navigator.mediaDevices
    const refresh = () => void listDevices().then(setDevices)
    refresh()
    media?.addEventListener('devicechange', refresh)
    return () => media?.removeEventListener('devicechange', refresh)
  }, causes)
  return devices
}

interface DevicePickerProps {
  readonly kind: DeviceKind
  readonly name: string
  /** Those of other kinds are left out. */
  readonly devices: readonly Device[]
  /** The id of the one in use. */
  readonly value: string | undefined
  readonly onPick: (id: string) => void
}

/** Shown where there is a choice. */
export function DevicePicker({ kind, name, devices, value, onPick }: DevicePickerProps) {
  const own = devices.filter((device) => device.kind === kind)
  if (own.length < 2) return null
  return (
    <label class="device">
      <span>{name}</span>
      <select data-testid={`pick-${kind}`} value={value} onChange={({ currentTarget }) => onPick(currentTarget.value)}>
        {own.map(({ id, label }) => (
          <option key={id} value={id}>
            {label || name}
          </option>
        ))}
      </select>
    </label>
  )
}
