import type { ComponentChildren } from 'preact'

interface ToggleProps {
  readonly testId: string
  readonly name: string
  readonly on: boolean
  readonly disabled?: boolean
  readonly onClick: () => void
  readonly children: ComponentChildren
}

/** A round button that is on or off. */
export function Toggle({ testId, name, on, disabled = false, onClick, children }: ToggleProps) {
  return (
    <button
      type="button"
      class="round-button"
      data-testid={testId}
      aria-pressed={on}
      aria-label={name}
      title={name}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  )
}
