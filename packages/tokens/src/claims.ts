import type { JWTPayload } from 'jose'
import { TokenError } from './errors.ts'

/** What a token says once it is verified. */
export interface Identity {
  readonly app: string
  /** The claim `sub`: by it other users address this one. */
  readonly user: string
  /** To show to people. */
  readonly name?: string
  /** ms since 1970. */
  readonly expiresAt: number
  /** Users of the same app that this one may call. */
  readonly mayCall: 'everyone' | ReadonlySet<string>
  /** Takes customers' calls. */
  readonly agent?: true
}

const appPattern = /^[\w.-]{1,64}$/
/** Printable, without the angle brackets that careless pages would run, and not with blanks at its ends. */
const userPattern = /^(?!\s)[^\p{C}<>]{1,128}(?<!\s)$/u
const maxNameLength = 1024
const maxCallees = 1000

/**
 * Reads the claims of a verified payload.
 * @param keysApp the app that the key is bound to: then the claim `app` may be absent, and must be this one otherwise
 * @throws TokenError
 */
export function readClaims(payload: JWTPayload, keysApp: string | undefined): Identity {
  const { app = keysApp, sub, name, exp, agent } = payload
  if (typeof app !== 'string' || !appPattern.test(app))
    throw invalid('"app" must be 1 to 64 letters, digits, "_", "." or "-"')
  if (keysApp !== undefined && app !== keysApp) throw invalid('the key belongs to another app than "app" names')
  if (typeof sub !== 'string' || !userPattern.test(sub))
    throw invalid('"sub" must be 1 to 128 printable characters without "<" and ">"')
  if (typeof exp !== 'number') throw invalid('"exp" is missing')
  if (name !== undefined && (typeof name !== 'string' || name.length > maxNameLength))
    throw invalid('"name" must be a string')
  if (agent !== undefined && typeof agent !== 'boolean') throw invalid('"agent" must be true or false')
  return {
    app,
    user: sub,
    ...(name === undefined ? {} : { name }),
    expiresAt: exp * 1000,
    mayCall: readCallees(payload.call),
    ...(agent === true ? { agent } : {}),
  }
}

/** Absent or `*`: everyone of the app. A list: these; an empty one: nobody. */
function readCallees(call: unknown): Identity['mayCall'] {
  if (call === undefined || call === '*') return 'everyone'
  if (!Array.isArray(call) || call.length > maxCallees || !call.every((user) => typeof user === 'string'))
    throw invalid(`"call" must be "*" or a list of at most ${maxCallees} users`)
  return call.includes('*') ? 'everyone' : new Set(call)
}

function invalid(message: string): TokenError {
  return new TokenError('SIG_TOKEN_INVALID', message)
}
