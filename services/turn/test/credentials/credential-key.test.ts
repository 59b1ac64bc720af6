import { expect, it } from 'vitest'
import { credentialKey, credentialOfKey } from '../../src/credentials/credential-key.ts'
import { passwordFor } from '../../src/credentials/mint.ts'

const username = '1000:shop/ada'
const secretsOf = (app: string) => (app === 'shop' ? ['newer', 'older'] : ['of another app'])
const now = 999_000

it('stands for one credential, for every secret that counts, until the credential expires', () => {
  for (const secret of ['newer', 'older'])
    expect(credentialOfKey(credentialKey(secret, username), secretsOf, now)).toEqual({
      app: 'shop',
      expiry: 1000,
      username,
      credential: passwordFor(secret, username),
    })
  expect(credentialOfKey(credentialKey('newer', username), secretsOf, 1_000_000)).toBeUndefined()
})

it('cannot be made without the secret of its app', () => {
  const key = credentialKey('newer', username)
  const proof = key.slice(key.indexOf('.'))
  const other = Buffer.from('1000:shop/eve').toString('base64url')
  const forged = [
    credentialKey('retired', username),
    credentialKey('of another app', username),
    credentialKey('newer', '1000:game/ada'),
    `hc_${other}${proof}`,
    `${key.slice(0, -2)}AA`,
    key.slice(3),
    `hc_${'A'.repeat(500)}`,
    'hc_.',
    '',
  ]
  for (const text of forged) expect([text, credentialOfKey(text, secretsOf, now)]).toEqual([text, undefined])
})
