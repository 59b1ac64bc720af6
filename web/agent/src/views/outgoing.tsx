import { useEffect, useRef, useState } from 'preact/hooks'
import { Phone } from '../../../src/ui/icons.tsx'
import { permissionText } from '../format.ts'
import type { AgentSession, View } from '../state/session.ts'

/** As the server takes numbers: with the country's digits. */
const wellFormed = /^[+\d][\d ()-]{4,30}$/

/** Calls a customer, who has to allow it: the permission is looked up first. */
export function OutgoingForm({ view, session }: { readonly view: View; readonly session: AgentSession }) {
  const { available, outgoing, preparing } = view
  const { number, permission, asking } = outgoing
  const [wrong, setWrong] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)

  // Who came here by keyboard goes on from here: at first, and when the call's controls took the focus with them.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus()
  }, [])

  const submit = (event: Event) => {
    event.preventDefault()
    const isWrong = !wellFormed.test(number.trim())
    setWrong(isWrong)
    if (!isWrong) void session.check(number.trim())
  }

  return (
    <form class="card outgoing" onSubmit={submit} noValidate>
      <h2 ref={heading} tabIndex={-1}>
        Call a customer
      </h2>
      <label for="number">Number, with the country’s code</label>
      <div class="outgoing-row">
        <input
          id="number"
          class="field"
          data-testid="number"
          type="tel"
          inputMode="tel"
          autocomplete="off"
          placeholder="+49 170 1234567"
          value={number}
          onInput={(event) => {
            setWrong(false)
            session.setNumber(event.currentTarget.value)
          }}
          aria-invalid={wrong}
          aria-describedby="number-hint"
        />
        <button type="submit" class="button" data-testid="check" disabled={!available || asking}>
          {asking ? 'Asking…' : 'Check'}
        </button>
      </div>
      <p id="number-hint" class={wrong ? 'hint hint-problem' : 'hint'}>
        {wrong
          ? 'Five digits at least, such as +49 170 1234567.'
          : available
            ? 'WhatsApp lets a business call only those who allow it.'
            : 'Turn “Available” on first.'}
      </p>
      <div class="permission" role="status" data-testid="permission" data-status={permission?.status}>
        {permission && <p>{permissionText(permission)}</p>}
      </div>
      {permission && (
        <div class="outgoing-row">
          <button
            type="button"
            class="button button-go"
            data-testid="dial"
            disabled={!permission.mayCall || !available || preparing !== undefined}
            onClick={() => void session.dial()}
          >
            <Phone /> {preparing === 'dial' ? 'Opening the microphone…' : 'Call'}
          </button>
          {permission.status !== 'permanent' && !permission.mayCall && (
            <button
              type="button"
              class="button"
              data-testid="request-permission"
              disabled={asking || permission.event === 'requested'}
              onClick={() => void session.requestPermission()}
            >
              Ask for permission
            </button>
          )}
        </div>
      )}
    </form>
  )
}
