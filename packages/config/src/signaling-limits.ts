import { ConfigError, type EnvReader } from './env.ts'

/** What clients of the signaling service may do. */
export interface SignalingLimits {
  /** Connections, and sessions that wait for one: of one IPv4 address or IPv6 /64, and of all. */
  readonly perSource: number
  readonly total: number
  /** Messages of one session at once, and a second in the long run. */
  readonly messageBurst: number
  readonly messagesPerSecond: number
  /** Messages of one type (`other`: of those that clients make up) of one session, a second; four times as many at once. */
  readonly typesPerSecond: Readonly<Record<string, number>>
}

export function signalingLimits(env: EnvReader): SignalingLimits {
  return {
    perSource: env.integer('HAIRPIN_SOURCE_CONNECTIONS', 200, 1, 1_000_000),
    total: env.integer('HAIRPIN_MAX_CONNECTIONS', 20_000, 1, 10_000_000),
    messageBurst: env.integer('HAIRPIN_MESSAGE_BURST', 120, 10, 1_000_000),
    messagesPerSecond: env.integer('HAIRPIN_MESSAGE_RATE', 30, 1, 1_000_000),
    typesPerSecond: Object.fromEntries(env.list('HAIRPIN_MESSAGE_TYPE_RATES').map(typeRate)),
  }
}

function typeRate(text: string): [string, number] {
  const [, type = '', rate] = /^([a-z-]{1,64})=(\d{1,6}(?:\.\d{1,3})?)$/.exec(text) ?? []
  if (!(Number(rate) > 0))
    throw new ConfigError(
      'HAIRPIN_MESSAGE_TYPE_RATES',
      `"${text}" is not a type and messages a second like video-offer=2`,
    )
  return [type, Number(rate)]
}
