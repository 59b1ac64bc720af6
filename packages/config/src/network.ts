import { ConfigError, type EnvReader } from './env.ts'

export interface PortRange {
  readonly min: number
  readonly max: number
}

/** An address that others reach this host by; `local` is the interface address behind a 1:1 NAT. */
export interface ExternalAddress {
  readonly public: string
  readonly local?: string
}

/** Comma-separated: `public`, or `public/private` behind 1:1 NAT. @throws ConfigError */
export function addressPairs(env: EnvReader, name: string): ExternalAddress[] {
  return env.list(name).map((text) => {
    const [outside = '', inside, ...rest] = text.split('/')
    if (rest.length > 0) throw new ConfigError(name, `"${text}" is neither "public" nor "public/private"`)
    const address = env.ip(name, outside)
    if (inside === undefined) return { public: address }
    if (address.includes(':') !== inside.includes(':'))
      throw new ConfigError(name, `"${text}" mixes an IPv4 and an IPv6 address`)
    return { public: address, local: env.ip(name, inside) }
  })
}

/** `49152-65535`. @throws ConfigError */
export function portRange(env: EnvReader, name: string, fallback: PortRange): PortRange {
  const text = env.string(name)
  if (text === undefined) return fallback
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text)
  const range = { min: Number(match?.[1]), max: Number(match?.[2]) }
  if (!match || range.min < 1024 || range.max > 65535 || range.min > range.max)
    throw new ConfigError(name, `"${text}" is not a range like 49152-65535 within 1024-65535`)
  return range
}
