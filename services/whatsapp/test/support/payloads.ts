/** Webhook bodies as Meta's documentation shows them. */
import { createHmac } from 'node:crypto'

export const phoneNumberId = '106540352242922'
export const appSecret = 'the app secret of the tests'

export const sign = (body: string | Buffer) => `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`

export function envelope(value: Record<string, unknown>, id = phoneNumberId) {
  return {
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '102290129340398',
        changes: [
          {
            field: 'calls',
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: '16315553601', phone_number_id: id },
              ...value,
            },
          },
        ],
      },
    ],
  }
}

export function connectCall(id: string, at: number, sdp = 'v=0\r\n') {
  return {
    id,
    to: '16315553601',
    from: '16315553602',
    event: 'connect',
    timestamp: String(Math.floor(at / 1000)),
    direction: 'USER_INITIATED',
    session: { sdp_type: 'offer', sdp },
  }
}

export function terminateCall(id: string, at: number, more: Record<string, unknown> = {}) {
  return {
    id,
    to: '16315553601',
    from: '16315553602',
    event: 'terminate',
    direction: 'USER_INITIATED',
    timestamp: String(Math.floor(at / 1000)),
    status: 'COMPLETED',
    ...more,
  }
}

export const contacts = [{ profile: { name: 'Maria' }, wa_id: '16315553602' }]
