import webPush from 'web-push'
import { failure, type PushSender, post } from './sender.ts'
import type { VapidKeys } from './vapid.ts'

/** Web Push: RFC 8030 requests, payload encrypted by RFC 8291, the server identified by RFC 8292. */
export function webSender(keys: VapidKeys): PushSender<'web'> {
  return {
    async send({ address, p256dh, auth }, { body, ttl }) {
      try {
        const request = webPush.generateRequestDetails(
          { endpoint: address, keys: { p256dh, auth } },
          JSON.stringify(body),
          {
            TTL: ttl,
            urgency: body.type === 'incoming-call' ? 'high' : 'normal',
            // The note of a missed call takes the place of a ring that was not delivered.
            topic: body.callId.replaceAll(/[^\w-]|-/g, '').slice(0, 32),
            contentEncoding: 'aes128gcm',
            vapidDetails: keys,
          },
        )
        const headers = Object.fromEntries(
          Object.entries(request.headers)
            .filter(([name]) => name.toLowerCase() !== 'content-length')
            .map(([name, value]) => [name, String(value)]),
        )
        const { status, text } = await post(address, { headers, body: request.body })
        if (status >= 200 && status < 300) return { result: 'sent' }
        return { result: status === 404 || status === 410 ? 'gone' : 'failed', reason: `${status} ${text}` }
      } catch (error) {
        return failure(error)
      }
    },
  }
}
