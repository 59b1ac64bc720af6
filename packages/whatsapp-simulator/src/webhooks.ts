import { createHmac } from 'node:crypto'

/** A webhook POST of one change, as Meta signs it. */
export function signedDelivery(
  value: Record<string, unknown>,
  { phoneNumberId, appSecret }: { readonly phoneNumberId: string; readonly appSecret: string },
): { body: Buffer; signature: string } {
  const metadata = { display_phone_number: '4930123456', phone_number_id: phoneNumberId }
  const change = { field: 'calls', value: { messaging_product: 'whatsapp', metadata, ...value } }
  const event = { object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes: [change] }] }
  const body = Buffer.from(JSON.stringify(event))
  return { body, signature: `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}` }
}
