import { Switch } from '../ui/switch.tsx'

interface RelaySwitchProps {
  readonly checked: boolean
  readonly inCall?: boolean
  readonly onChange: (on: boolean) => void
}

export function RelaySwitch({ checked, inCall = false, onChange }: RelaySwitchProps) {
  return (
    <Switch
      label="Relay only"
      hint={
        inCall
          ? 'From the next call on.'
          : 'Sends everything over the server, and hides this device’s addresses from the other side.'
      }
      testId="relay-only"
      checked={checked}
      onChange={onChange}
    />
  )
}
