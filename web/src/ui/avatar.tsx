/** A name's first letter on a colour of its own: one of six, the same on every screen. */
export function Avatar({ name, large = false }: { readonly name: string; readonly large?: boolean }) {
  let sum = 0
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973
  const [initial = '?'] = name.trim()
  return (
    <span class={`avatar tint-${sum % 6} ${large ? 'avatar-large' : ''}`} aria-hidden="true">
      {initial.toUpperCase()}
    </span>
  )
}
