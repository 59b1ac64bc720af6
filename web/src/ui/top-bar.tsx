import { Logo } from './icons.tsx'

interface TopBarProps {
  /** The name is the page's heading, where nothing else is. */
  readonly heading: boolean
  readonly state: string
  readonly text: string
  /** Absent before one has joined. */
  readonly onLeave: (() => void) | undefined
}

/** Name, what matters most now, and the way out. */
export function TopBar({ heading, state, text, onLeave }: TopBarProps) {
  const Brand = heading ? 'h1' : 'span'
  return (
    <header class="header">
      <Brand class="brand">
        <Logo /> Hairpin
      </Brand>
      <span class="status" role="status" data-testid="status" data-state={state}>
        <span class="dot" aria-hidden="true" />
        <span class="status-text">{text}</span>
      </span>
      {onLeave && (
        <button type="button" class="button button-quiet leave" data-testid="leave" onClick={onLeave}>
          Leave
        </button>
      )}
    </header>
  )
}
