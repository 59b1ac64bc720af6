import type { RefObject } from 'preact'

interface NameFieldProps {
  readonly field: RefObject<HTMLInputElement | null>
  readonly value: string
  readonly onValue: (value: string) => void
  /** It was wanted and is empty. */
  readonly missing: boolean
  readonly hint: string
  /** In place of the hint where it is missing. */
  readonly problem: string
}

/** Who joins. */
export function NameField({ field, value, onValue, missing, hint, problem }: NameFieldProps) {
  return (
    <>
      <label for="name">Your name</label>
      <input
        id="name"
        ref={field}
        class="field"
        data-testid="name-input"
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
        maxLength={64}
        autocomplete="nickname"
        autofocus
        spellcheck={false}
        aria-invalid={missing}
        aria-describedby="name-hint"
      />
      <p id="name-hint" class={missing ? 'hint hint-problem' : 'hint'}>
        {missing ? problem : hint}
      </p>
    </>
  )
}
