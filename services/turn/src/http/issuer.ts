/** Issuing credentials, whatever form the answer takes. */
import type { Config } from '@hairpin/config'
import { type Static, Type } from 'typebox'
import type { IceServer, IceServers, IceServersRequest } from '../credentials/ice-servers.ts'
import type { AppCaller } from './authorize.ts'

/** Seconds. */
export type TtlBounds = Config['credentials']['ttl']

export interface Issuer {
  boundsOf(app: string): TtlBounds
  iceServersFor(request: IceServersRequest): IceServers
  /** A key that gives this credential's ICE servers again, to whoever has it. */
  keyOf(username: string): string
  /** What such a key gives, and its app; undefined for one that counts no more. */
  byKey(key: string): { readonly app: string; readonly iceServers: IceServer[] } | undefined
}

/** As text that may stand in a username and be shown to an operator. */
export const User = Type.String({ minLength: 1, maxLength: 128, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })

/** An entry of RTCConfiguration.iceServers. */
export const IceServerAnswer = Type.Object({
  urls: Type.Array(Type.String()),
  username: Type.Optional(Type.String()),
  credential: Type.Optional(Type.String()),
})
export type IceServerAnswer = Static<typeof IceServerAnswer>

export interface Issued {
  readonly iceServers: IceServer[]
  readonly stunUrls: string[]
  readonly turnUrls: string[]
  readonly username: string
  readonly credential: string
  /** Seconds. */
  readonly ttl: number
}

/**
 * A credential for services that are stood in for. Their clients ask for what that service allowed: a ttl out of the app's
 * bounds becomes the nearest one within.
 */
export function issue(issuer: Issuer, { app }: AppCaller, user: string | undefined, ttl: number | undefined): Issued {
  const { min, default: usual, max } = issuer.boundsOf(app)
  const answer = issuer.iceServersFor({ app, user, ttl: Math.min(Math.max(ttl ?? usual, min), max) })
  const stun = answer.iceServers.filter(({ username }) => username === undefined)
  const turn = answer.iceServers.find(({ username }) => username !== undefined)
  if (turn?.username === undefined || turn.credential === undefined) throw new Error('no TURN server was given')
  return {
    iceServers: answer.iceServers,
    stunUrls: stun.flatMap(({ urls }) => urls),
    turnUrls: turn.urls,
    username: turn.username,
    credential: turn.credential,
    ttl: answer.ttl,
  }
}
