/**
 * Where browsers' push subscriptions live. The address comes from a client: without this list the server would send
 * requests wherever a client likes.
 */
const services: readonly RegExp[] = [
  /^https:\/\/fcm\.googleapis\.com$/,
  /^https:\/\/(?:[a-z0-9-]+\.)*push\.services\.mozilla\.com$/,
  /^https:\/\/(?:[a-z0-9-]+\.)*notify\.windows\.com$/,
  /^https:\/\/(?:[a-z0-9-]+\.)*push\.apple\.com$/,
]

/** @param more further origins that the operator trusts */
export function pushOrigins(more: readonly string[]): (address: string) => boolean {
  return (address) => {
    if (!URL.canParse(address)) return false
    const { origin, username, password } = new URL(address)
    if (username !== '' || password !== '') return false
    return more.includes(origin) || services.some((service) => service.test(origin))
  }
}
