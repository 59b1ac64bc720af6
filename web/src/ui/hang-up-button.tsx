import { useEffect, useRef } from 'preact/hooks'
import { HangUp } from './icons.tsx'

/** The one control that every moment of a call has: it gets the focus when the call is shown. */
export function HangUpButton({ call }: { readonly call: { hangUp(): void } }) {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => button.current?.focus(), [])
  return (
    <button
      type="button"
      ref={button}
      class="button button-danger hangup"
      data-testid="hangup"
      onClick={() => call.hangUp()}
    >
      <HangUp /> Hang up
    </button>
  )
}
