/** The room that the page's address invites to: `?room=name`. */
export function invitedRoom(search: string): string | undefined {
  const name = new URLSearchParams(search).get('room') ?? ''
  return /^[\w.-]{1,64}$/.test(name) ? name : undefined
}

/** A name that nobody guesses: who has the link is invited. */
export function freshRoom(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9))
  return [...bytes].map((byte) => byte.toString(36).padStart(2, '0')).join('')
}

/** The address of the page with or without a room. */
export function addressOf(page: string, room: string | undefined): string {
  const url = new URL(page)
  if (room === undefined) url.searchParams.delete('room')
  else url.searchParams.set('room', room)
  url.hash = ''
  return url.href
}
