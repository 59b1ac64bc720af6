import { SignJWT } from 'jose'

export interface SigningRequest {
  readonly app: string
  /** At least 32 characters: HS256 wants 256 bits (RFC 7518 section 3.2). */
  readonly secret: string
  readonly user: string
  readonly name?: string
  /** Users that may be called; absent: everyone of the app. */
  readonly call?: readonly string[]
  /** The user takes customers' calls. */
  readonly agent?: boolean
  /** Seconds. */
  readonly ttl: number
}

/** A token of an app, signed by its secret: what an app's own server does for its users. */
export async function signSignalingToken(request: SigningRequest, now: number = Date.now()): Promise<string> {
  const { app, secret, user, name, call, agent, ttl } = request
  const issuedAt = Math.floor(now / 1000)
  return new SignJWT({
    app,
    ...(name === undefined ? {} : { name }),
    ...(call === undefined ? {} : { call }),
    ...(agent ? { agent } : {}),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttl)
    .sign(new TextEncoder().encode(secret))
}
