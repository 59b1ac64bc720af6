import { importPKCS8, SignJWT } from 'jose'
import { failure, type PushSender, post } from './sender.ts'

/** The parts of a Google service account's JSON file that are used. */
export interface ServiceAccount {
  readonly project_id: string
  readonly client_email: string
  readonly private_key: string
  readonly token_uri: string
}

const scope = 'https://www.googleapis.com/auth/firebase.messaging'
/** A token is asked for anew this long before its end. */
const marginMs = 60_000

/**
 * Firebase Cloud Messaging, HTTP v1: a high-priority data message, so that the app shows the call itself. The access token
 * comes from the account's own token endpoint by a signed assertion (RFC 7523) and is kept until shortly before its end.
 * @param url origin of the API
 */
export function fcmSender(account: ServiceAccount, url: string, now: () => number = Date.now): PushSender<'fcm'> {
  let token: Promise<{ value: string; until: number }> | undefined

  const accessToken = async () => {
    if (token !== undefined && (await token).until > now()) return (await token).value
    token = fetchToken(account, now())
    token.catch(() => {
      token = undefined
    })
    return (await token).value
  }

  return {
    async send({ address }, { body, ttl }) {
      try {
        const message = {
          token: address,
          // FCM's data are strings.
          data: Object.fromEntries(Object.entries(body).map(([key, value]) => [key, String(value)])),
          android: { priority: 'HIGH', ttl: `${ttl}s`, collapse_key: body.callId },
        }
        const { status, text } = await post(`${url}/v1/projects/${account.project_id}/messages:send`, {
          headers: { authorization: `Bearer ${await accessToken()}`, 'content-type': 'application/json' },
          body: JSON.stringify({ message }),
        })
        if (status === 200) return { result: 'sent' }
        if (status === 401) token = undefined
        return { result: isGone(status, text) ? 'gone' : 'failed', reason: `${status} ${text}` }
      } catch (error) {
        return failure(error)
      }
    },
  }
}

async function fetchToken(account: ServiceAccount, now: number): Promise<{ value: string; until: number }> {
  const issued = Math.floor(now / 1000)
  const assertion = await new SignJWT({ scope })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(account.client_email)
    .setAudience(account.token_uri)
    .setIssuedAt(issued)
    .setExpirationTime(issued + 3600)
    .sign(await importPKCS8(account.private_key, 'RS256'))
  const { status, text } = await post(account.token_uri, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString(),
  })
  const answer = status === 200 ? (JSON.parse(text) as { access_token?: string; expires_in?: number }) : {}
  if (typeof answer.access_token !== 'string') throw new Error(`no access token: status ${status}`)
  return { value: answer.access_token, until: now + (answer.expires_in ?? 3600) * 1000 - marginMs }
}

/** UNREGISTERED: the app was removed or the token replaced (FCM error codes, v1). */
function isGone(status: number, text: string): boolean {
  return status === 404 && text.includes('UNREGISTERED')
}
