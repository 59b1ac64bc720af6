import { createHmac, randomBytes } from 'node:crypto'
import { formatUsername } from './username.ts'

export interface TurnCredential {
  readonly username: string
  readonly credential: string
}

/** The password of a time-limited username: base64(HMAC-SHA1(secret, username)) (draft-uberti-behave-turn-rest-00). */
export function passwordFor(secret: string, username: string): string {
  return createHmac('sha1', secret).update(username).digest('base64')
}

export interface MintRequest {
  readonly secret: string
  readonly app: string
  /** Any text; a random one when left out. */
  readonly user?: string | undefined
  /** Seconds since the epoch. */
  readonly expiry: number
}

export function mintCredential(request: MintRequest): TurnCredential {
  const user = request.user === undefined || request.user === '' ? randomUser() : request.user
  const username = formatUsername(request.expiry, request.app, user)
  return { username, credential: passwordFor(request.secret, username) }
}

function randomUser(): string {
  return randomBytes(9).toString('base64url')
}
