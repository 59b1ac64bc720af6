import { readFileSync } from 'node:fs'
import { type Config, ConfigError } from '@hairpin/config'
import type { PushEndpoint } from '@hairpin/protocol'
import type { PushBody } from '../core/output.ts'
import type { PushChange, PushRecords } from '../core/push-book.ts'
import type { PushAbility } from '../core/waking.ts'
import { apnsSender } from './apns.ts'
import { fcmSender, type ServiceAccount } from './fcm.ts'
import { pushOrigins } from './origins.ts'
import type { PushAttempt, PushSender } from './sender.ts'
import { PushStore } from './store.ts'
import { loadVapidKeys } from './vapid.ts'
import { webSender } from './web.ts'

/** Everything about pushes that the core does not do itself. */
export interface PushGateway {
  readonly ability: PushAbility
  readonly records: PushRecords
  remember(change: PushChange): void
  send(endpoint: PushEndpoint, body: PushBody, ttlMs: number): Promise<PushAttempt>
  close(): void
}

/** @throws ConfigError when a key cannot be used or the data folder is not writable */
export function openPushGateway(config: Pick<Config, 'dataDir' | 'push'>): PushGateway {
  const { push } = config
  const vapid = loadVapidKeys(config)
  const fcm = push.fcm && fcmSender(readAccount(push.fcm.accountFile), push.fcm.url)
  const apns = push.apns && apnsSender({ ...push.apns, key: readKey(push.apns.keyFile) })
  const senders: { [K in PushEndpoint['kind']]?: PushSender<K> } = {
    web: webSender(vapid),
    ...(fcm ? { fcm } : {}),
    ...(apns ? { apns } : {}),
  }
  const store = openStore(config.dataDir)
  return {
    ability: {
      vapid: vapid.publicKey,
      fcm: fcm !== undefined,
      apns: apns !== undefined,
      allows: pushOrigins(push.origins),
    },
    records: store.load(),
    remember: (change) => store.apply(change),
    async send(endpoint, body, ttlMs) {
      const sender = senders[endpoint.kind] as PushSender | undefined
      // Registered while the server could still send to it.
      if (sender === undefined) return { result: 'failed', reason: `no ${endpoint.kind} keys` }
      return sender.send(endpoint, { body, ttl: Math.max(1, Math.round(ttlMs / 1000)) })
    },
    close() {
      for (const sender of Object.values(senders)) sender.close?.()
      store.close()
    },
  }
}

function openStore(dataDir: string): PushStore {
  try {
    return new PushStore(dataDir)
  } catch (error) {
    throw new ConfigError('HAIRPIN_DATA_DIR', `cannot keep push.sqlite there: ${(error as Error).message}`)
  }
}

function readAccount(file: string): ServiceAccount {
  const name = 'HAIRPIN_FCM_ACCOUNT'
  let account: Partial<ServiceAccount>
  try {
    account = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ConfigError(name, `cannot read ${file}: ${(error as Error).message}`)
  }
  const { project_id, client_email, private_key, token_uri = 'https://oauth2.googleapis.com/token' } = account
  if (!project_id || !client_email || !private_key)
    throw new ConfigError(
      name,
      `${file} is no key of a service account: project_id, client_email or private_key is missing`,
    )
  return { project_id, client_email, private_key, token_uri }
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError('HAIRPIN_APNS_KEY', `cannot read ${file}: ${(error as Error).message}`)
  }
}
