import { createHmac } from 'node:crypto'

/** The value of X-Hub-Signature-256 for these bytes. */
export function signatureOf(body: Buffer, appSecret: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`
}
