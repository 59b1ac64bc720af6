import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** A wrong environment variable: stops the start and names the variable. */
export class ConfigError extends Error {
  readonly variable: string

  constructor(variable: string, message: string) {
    super(`${variable}: ${message}`)
    this.name = 'ConfigError'
    this.variable = variable
  }
}

/** Typed access to environment variables. An empty value counts as not set, as compose files produce it. */
export class EnvReader {
  readonly #env: Environment
  /** Of the variables that were asked for. */
  readonly names = new Set<string>()

  constructor(env: Environment) {
    this.#env = env
  }

  string(name: string): string | undefined {
    this.names.add(name)
    const value = this.#env[name]?.trim()
    return value === '' ? undefined : value
  }

  list(name: string): string[] {
    return (this.string(name) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.string(name)
    if (text === undefined) return fallback
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new ConfigError(name, `"${text}" is not a whole number from ${min} to ${max}`)
    return value
  }

  port(name: string, fallback: number): number {
    return this.integer(name, fallback, 0, 65535)
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.string(name)?.toLowerCase()
    if (text === undefined) return fallback
    if (['1', 'true', 'yes', 'on'].includes(text)) return true
    if (['0', 'false', 'no', 'off'].includes(text)) return false
    throw new ConfigError(name, `"${text}" is neither 1 nor 0`)
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.string(name)
    if (text === undefined) return fallback
    const found = choices.find((choice) => choice === text)
    if (found === undefined) throw new ConfigError(name, `"${text}" is not one of ${choices.join(', ')}`)
    return found
  }

  /** A list of CIDR ranges; a single address counts as its /32 or /128. */
  cidrs(name: string): string[] {
    return this.list(name).map((text) => {
      const cidr = isIP(text) === 0 ? text : `${text}/${isIP(text) === 4 ? 32 : 128}`
      if (!ipaddr.isValidCIDR(cidr)) throw new ConfigError(name, `"${text}" is not an address or CIDR range`)
      return cidr
    })
  }

  ip(name: string, text: string): string {
    if (isIP(text) === 0) throw new ConfigError(name, `"${text}" is not an IP address`)
    return text
  }
}
