import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, ConfigError, createOnce } from '@hairpin/config'
import webPush from 'web-push'

export interface VapidKeys {
  /** Uncompressed P-256 point and scalar, base64url. */
  readonly publicKey: string
  readonly privateKey: string
  /** Whom a push service writes to: `mailto:` or `https:`. */
  readonly subject: string
}

/**
 * The keys of the configuration, else those of `<dataDir>/vapid.json`, which is made (mode 0600) when it is not there. A
 * subscription is bound to the key: with another one every browser has to subscribe anew.
 * @throws ConfigError when the folder is not writable or the file is not readable
 */
export function loadVapidKeys({ dataDir, push }: Pick<Config, 'dataDir' | 'push'>): VapidKeys {
  const { subject, keys } = push.vapid
  if (keys !== undefined) return { ...keys, subject }
  const path = join(dataDir, 'vapid.json')
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    createOnce(path, () => `${JSON.stringify(webPush.generateVAPIDKeys(), null, 2)}\n`)
    const { publicKey, privateKey } = JSON.parse(readFileSync(path, 'utf8')) as Partial<VapidKeys>
    if (typeof publicKey !== 'string' || typeof privateKey !== 'string') throw new Error('it has no keys')
    return { publicKey, privateKey, subject }
  } catch (error) {
    throw new ConfigError('HAIRPIN_DATA_DIR', `cannot keep the VAPID keys in ${path}: ${(error as Error).message}`)
  }
}
