import type { AgentCall } from '@hairpin/client'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

const keys = [...'123456789*0#']
/** Digits that stay shown. */
const shown = 24

/** Sends digits; while it has the focus, the keyboard does too. */
export function Keypad({ call }: { readonly call: AgentCall }) {
  const [sent, setSent] = useState('')
  const pad = useRef<HTMLFieldSetElement>(null)

  // Before it is painted: whoever sees it may press keys.
  useLayoutEffect(() => pad.current?.querySelector('button')?.focus(), [])

  const send = (key: string) => {
    if (call.dtmf(key)) setSent((before) => `${before}${key}`.slice(-shown))
  }

  return (
    <fieldset
      class="keypad"
      ref={pad}
      data-testid="keypad"
      onKeyDown={({ key, ctrlKey, metaKey, altKey }) => {
        if (!ctrlKey && !metaKey && !altKey && keys.includes(key)) send(key)
      }}
    >
      <legend>Keypad</legend>
      <output class="keypad-sent" data-testid="keypad-sent" aria-label="Sent">
        {sent}
      </output>
      <div class="keypad-keys">
        {keys.map((key) => (
          <button key={key} type="button" class="keypad-key" aria-label={names[key] ?? key} onClick={() => send(key)}>
            {key}
          </button>
        ))}
      </div>
      {!call.canDial && <p class="hint">The other side takes no digits now.</p>}
    </fieldset>
  )
}

const names: Readonly<Record<string, string>> = { '*': 'star', '#': 'hash' }
