/** What can be told of an address by its text. */

/**
 * Whether an address, or `localhost`, is of use in its own network alone: loopback, private (RFC 1918, RFC 4193), shared
 * (RFC 6598) and link-local. Names are taken to be public.
 */
export function isLocalHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  if (bare.includes(':')) {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1]
    return mapped ? isLocalHost(mapped) : bare === '::1' || /^f[cd]|^fe[89ab]/.test(bare)
  }
  const [a = -1, b = -1] = /^\d+\.\d+\.\d+\.\d+$/.test(bare) ? bare.split('.').map(Number) : []
  return (
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168)
  )
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^127\.\d+\.\d+\.\d+$/.test(bare)
}

/** `address:port`, an IPv6 address in brackets. */
export function endpointText(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** The address of `address:port`. */
export function addressOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}

export function isIpv6(host: string): boolean {
  return host.includes(':')
}
