/** The headers of the Standard Webhooks specification (standardwebhooks.com), for which receivers find libraries. */
import { createHmac } from 'node:crypto'

/**
 * @param secret `whsec_` and base64, or any other text, which counts as it is
 * @param seconds of the attempt, since 1970: receivers refuse what is too old
 */
export function webhookHeaders(
  secret: string,
  { id, body }: { readonly id: string; readonly body: string },
  seconds: number,
): Record<string, string> {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'user-agent': 'hairpin',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  }
}
