import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { importPKCS8, SignJWT } from 'jose'
import type { PushSender } from './sender.ts'
import { failure, sendTimeoutMs } from './sender.ts'

export interface ApnsSettings {
  /** PEM of the .p8 file. */
  readonly key: string
  readonly keyId: string
  readonly teamId: string
  /** The app's bundle id with `.voip`. */
  readonly topic: string
  /** Origin of the API. */
  readonly url: string
}

/** Apple takes a provider token for an hour and wants no new one within 20 minutes. */
const tokenMs = 50 * 60_000
/** A connection that nobody used is closed. */
const idleMs = 5 * 60_000

/**
 * APNs by HTTP/2: VoIP pushes, which iOS hands to the app at once and which the app must show as a call. One connection
 * serves all; it is opened when there is something to send.
 */
export function apnsSender(settings: ApnsSettings, now: () => number = Date.now): PushSender<'apns'> {
  const { key, keyId, teamId, topic, url } = settings
  let session: ClientHttp2Session | undefined
  let token: { readonly value: Promise<string>; readonly until: number } | undefined

  const providerToken = () => {
    if (token === undefined || token.until <= now()) {
      const value = importPKCS8(key, 'ES256').then((signingKey) =>
        new SignJWT({})
          .setProtectedHeader({ alg: 'ES256', kid: keyId })
          .setIssuer(teamId)
          .setIssuedAt(Math.floor(now() / 1000))
          .sign(signingKey),
      )
      token = { value, until: now() + tokenMs }
    }
    return token.value
  }

  const connection = () => {
    if (session !== undefined && !session.closed && !session.destroyed) return session
    const opened = connect(url)
    const close = () => {
      if (session === opened) session = undefined
      opened.close()
    }
    // What waits on a connection that fails gets its own error.
    opened.on('error', close)
    opened.on('goaway', close)
    opened.setTimeout(idleMs, close)
    opened.unref()
    session = opened
    return opened
  }

  return {
    async send({ address }, { body, ttl }) {
      try {
        const headers = {
          [constants.HTTP2_HEADER_METHOD]: 'POST',
          [constants.HTTP2_HEADER_PATH]: `/3/device/${address}`,
          authorization: `bearer ${await providerToken()}`,
          'apns-topic': topic,
          'apns-push-type': 'voip',
          'apns-priority': '10',
          'apns-expiration': String(Math.floor(now() / 1000) + ttl),
          'content-type': 'application/json',
        }
        const { status, text } = await request(connection(), headers, JSON.stringify({ aps: {}, hairpin: body }))
        if (status === 200) return { result: 'sent' }
        if (status === 403) token = undefined
        return { result: isGone(status, text) ? 'gone' : 'failed', reason: `${status} ${text}` }
      } catch (error) {
        return failure(error)
      }
    },
    close() {
      session?.destroy()
    },
  }
}

function request(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers)
    let status = 0
    let text = ''
    stream.setEncoding('utf8')
    stream.setTimeout(sendTimeoutMs, () => stream.close(constants.NGHTTP2_CANCEL))
    stream.on('response', (answer) => {
      status = Number(answer[constants.HTTP2_HEADER_STATUS])
    })
    stream.on('data', (chunk: string) => {
      if (text.length < 2048) text += chunk
    })
    stream.on('error', reject)
    stream.on('close', () => (status === 0 ? reject(new Error('no answer from APNs')) : resolve({ status, text })))
    stream.end(body)
  })
}

/** The device token is no more, or was never one of this app. */
function isGone(status: number, text: string): boolean {
  return status === 410 || (status === 400 && /BadDeviceToken|DeviceTokenNotForTopic/.test(text))
}
