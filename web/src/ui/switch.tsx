import { useId } from 'preact/hooks'

interface SwitchProps {
  readonly label: string
  readonly hint: string
  readonly checked: boolean
  readonly testId: string
  readonly onChange: (checked: boolean) => void
}

export function Switch({ label, hint, checked, testId, onChange }: SwitchProps) {
  const id = useId()
  return (
    <div class="switch">
      <input
        id={id}
        type="checkbox"
        role="switch"
        data-testid={testId}
        checked={checked}
        aria-checked={checked}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.currentTarget.checked)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onChange(!checked)
        }}
      />
      <label for={id}>{label}</label>
      <p id={`${id}-hint`} class="hint">
        {hint}
      </p>
    </div>
  )
}
