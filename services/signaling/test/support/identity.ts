import type { IdentityConfig } from '@hairpin/config'
import { type SigningRequest, signSignalingToken } from '@hairpin/tokens'
import type { Client } from './client.ts'
import type { TestServer } from './server.ts'

const secrets = [
  { app: 'shop', secret: 'shop-secret-shop-secret-shop-secret' },
  { app: 'clinic', secret: 'clinic-secret-clinic-secret-clinic' },
]

/** Two apps with a secret each. */
export const twoApps: IdentityConfig = { secrets, sources: [] }

export type Claims = Partial<Omit<SigningRequest, 'secret'>> & { readonly user: string }

export function tokenOf({ app = 'shop', ttl = 600, ...claims }: Claims, now?: number): Promise<string> {
  const secret = secrets.find((entry) => entry.app === app)?.secret ?? ''
  return signSignalingToken({ app, ttl, secret, ...claims }, now)
}

/** A client that has joined with a token and has its servers and a user list with itself. */
export async function joinAs(server: TestServer, claims: Claims, options: { resume?: boolean } = {}): Promise<Client> {
  const client = await server.connect()
  client.send({ type: 'username', name: '', token: await tokenOf(claims), ...options })
  await client.next('rejectusername')
  await client.next('ice-servers')
  await client.next('userlist', ({ users }) => users.includes(claims.user))
  return client
}
