/** Who the clients are: users of many small apps, as one list of thousands is nobody's contact list. */
import { signSignalingToken } from '@hairpin/tokens'

export interface Who {
  readonly name: string
  /** Undefined: a guest. */
  readonly token: string | undefined
}

/** Users who see each other. */
export const APP_USERS = 20
const APPS = 1_000
const secret = 'bench-secret-of-no-value-elsewhere'

/** For HAIRPIN_SIGNALING_SECRETS. */
export const appSecrets = (): string => Array.from({ length: APPS }, (_, app) => `a${app}:${secret}`).join(',')

const known = new Map<string, Promise<Who>>()

/** @param app the first so many apps have APP_USERS users each, one after the other; beyond them it begins anew */
export function person(app: number, name: string): Promise<Who> {
  const key = `${app % APPS}/${name}`
  const who =
    known.get(key) ??
    signSignalingToken({ app: `a${app % APPS}`, user: name, ttl: 86_400, secret }).then((token) => ({ name, token }))
  known.set(key, who)
  return who
}

export const people = (count: number): Promise<Who[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => person(Math.floor(i / APP_USERS), `u${i}`)))

export const guests = (count: number): Who[] =>
  Array.from({ length: count }, (_, i) => ({ name: `u${i}`, token: undefined }))
