import { resolve } from 'node:path'
import { ConfigError, type EnvReader } from './env.ts'

/** What wakes devices that have no connection. */
export interface PushConfig {
  /** Origins of push services besides those of the browsers' makers. */
  readonly origins: readonly string[]
  readonly vapid: {
    readonly subject: string
    /** Undefined: generated into the data folder. */
    readonly keys?: { readonly publicKey: string; readonly privateKey: string }
  }
  readonly fcm?: { readonly accountFile: string; readonly url: string }
  readonly apns?: {
    readonly keyFile: string
    readonly keyId: string
    readonly teamId: string
    readonly topic: string
    readonly url: string
  }
}

export function pushConfig(env: EnvReader): PushConfig {
  const keys = vapidKeys(env)
  const account = env.string('HAIRPIN_FCM_ACCOUNT')
  const fcmUrl = origin(env, 'HAIRPIN_FCM_URL', 'https://fcm.googleapis.com')
  const apns = apnsConfig(env)
  return {
    origins: env.list('HAIRPIN_PUSH_ORIGINS').map((text) => checkedOrigin('HAIRPIN_PUSH_ORIGINS', text)),
    vapid: { subject: subject(env), ...(keys ? { keys } : {}) },
    ...(account === undefined ? {} : { fcm: { accountFile: resolve(account), url: fcmUrl } }),
    ...(apns ? { apns } : {}),
  }
}

function vapidKeys(env: EnvReader): PushConfig['vapid']['keys'] {
  const publicKey = env.string('HAIRPIN_VAPID_PUBLIC_KEY')
  const privateKey = env.string('HAIRPIN_VAPID_PRIVATE_KEY')
  if (publicKey === undefined && privateKey === undefined) return undefined
  if (!publicKey || !/^[\w-]{87}$/.test(publicKey))
    throw new ConfigError('HAIRPIN_VAPID_PUBLIC_KEY', 'is not an uncompressed P-256 point in base64url (87 characters)')
  if (!privateKey || !/^[\w-]{43}$/.test(privateKey))
    throw new ConfigError('HAIRPIN_VAPID_PRIVATE_KEY', 'is not a P-256 scalar in base64url (43 characters)')
  return { publicKey, privateKey }
}

function subject(env: EnvReader): string {
  const host = env.string('HAIRPIN_TURN_HOST')
  const text =
    env.string('HAIRPIN_VAPID_SUBJECT') ?? (host ? `https://${host}` : 'mailto:operator@localhost.localdomain')
  if (!/^(mailto:.+@.+|https:\/\/.+)$/.test(text))
    throw new ConfigError('HAIRPIN_VAPID_SUBJECT', `"${text}" is neither mailto: with an address nor an https: URL`)
  return text
}

function apnsConfig(env: EnvReader): PushConfig['apns'] {
  const url = origin(env, 'HAIRPIN_APNS_URL', 'https://api.push.apple.com')
  const keyFile = env.string('HAIRPIN_APNS_KEY')
  const [keyId, teamId, topic] = [
    env.string('HAIRPIN_APNS_KEY_ID'),
    env.string('HAIRPIN_APNS_TEAM_ID'),
    env.string('HAIRPIN_APNS_TOPIC'),
  ]
  if (keyFile === undefined) return undefined
  if (!keyId) throw new ConfigError('HAIRPIN_APNS_KEY_ID', 'is missing; HAIRPIN_APNS_KEY is set')
  if (!teamId) throw new ConfigError('HAIRPIN_APNS_TEAM_ID', 'is missing; HAIRPIN_APNS_KEY is set')
  if (!topic) throw new ConfigError('HAIRPIN_APNS_TOPIC', 'is missing; HAIRPIN_APNS_KEY is set')
  return { keyFile: resolve(keyFile), keyId, teamId, topic, url }
}

function origin(env: EnvReader, name: string, fallback: string): string {
  return checkedOrigin(name, env.string(name) ?? fallback)
}

function checkedOrigin(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    throw new ConfigError(name, `"${text}" is not an origin like https://push.example.com`)
  return url.origin
}
