import { loadConfig } from '@hairpin/config'
import { describe, expect, it } from 'vitest'
import { iceServersFor } from '../../src/credentials/ice-servers.ts'
import { mintCredential, passwordFor } from '../../src/credentials/mint.ts'
import { timeLimitedPasswords } from '../../src/credentials/password-policy.ts'
import type { RelayAddress } from '../../src/net/addresses.ts'

const secrets = { turnSecrets: ['new-secret', 'old-secret'] }
const relay = (external: string, source: RelayAddress['source']): RelayAddress => ({
  family: external.includes(':') ? 6 : 4,
  external,
  local: external,
  source,
  why: '',
})

function iceServers(environment: Record<string, string>, addresses: RelayAddress[], streams = {}, user = 'ada') {
  const options = {
    config: loadConfig(environment),
    secrets,
    addresses: { listen: [], own: [], port: 3478, ...streams, relay: addresses },
  }
  return iceServersFor(options, { app: 'shop', user, ttl: 600 }, 1_700_000_000_000)
}

describe('credentials', () => {
  it('have the password of the TURN REST API draft', () => {
    // printf 1700000000:shop/ada | openssl dgst -sha1 -hmac north -binary | base64
    expect(passwordFor('north', '1700000000:shop/ada')).toBe('URNfwnwK9/v+rocVxhwT442yvKk=')
  })

  it('are made for a random user when none is named', () => {
    const request = { secret: 'north', app: 'shop', expiry: 5 }
    expect(mintCredential(request).username).toMatch(/^5:shop\/[\w-]{12}$/)
    expect(mintCredential(request).username).not.toBe(mintCredential(request).username)
  })

  it('are verified against every secret, newest first', () => {
    const policy = timeLimitedPasswords(secrets.turnSecrets)
    const username = '2000:shop/ada'
    expect(policy(username, 1_000_000)).toEqual({
      ok: true,
      passwords: ['new-secret', 'old-secret'].map((secret) => passwordFor(secret, username)),
      app: 'shop',
      user: 'ada',
      expiresAt: 2_000_000,
    })
  })

  it('are refused from the moment they expire, and without an expiry', () => {
    const policy = timeLimitedPasswords(secrets.turnSecrets)
    expect(policy('2000:shop/ada', 2_000_000)).toEqual({ ok: false, reason: 'expired' })
    expect(policy('ada', 0)).toEqual({ ok: false, reason: 'malformed-username' })
  })
})

describe('iceServers', () => {
  it('name the address, the port and a credential of the newest secret', () => {
    const username = '1700000600:shop/ada'
    expect(iceServers({}, [relay('203.0.113.5', 'interface')])).toEqual({
      iceServers: [
        { urls: ['stun:203.0.113.5:3478'] },
        { urls: ['turn:203.0.113.5:3478?transport=udp'], username, credential: passwordFor('new-secret', username) },
      ],
      ttl: 600,
      expiresAt: '2023-11-14T22:23:20.000Z',
    })
  })

  it('put IPv6 addresses in brackets', () => {
    const { iceServers: list } = iceServers({}, [relay('203.0.113.5', 'interface'), relay('2600::5', 'interface')])
    expect(list[1]?.urls).toEqual(['turn:203.0.113.5:3478?transport=udp', 'turn:[2600::5]:3478?transport=udp'])
  })

  it('leave out an IPv6 address that is only known in this network', () => {
    const { iceServers: list } = iceServers({}, [relay('192.168.1.5', 'private'), relay('fd00::5', 'private')])
    expect(list[0]?.urls).toEqual(['stun:192.168.1.5:3478'])
  })

  it('add one URL for each stream transport that is listened to; turns only with a configured name', () => {
    const relays = [relay('203.0.113.5', 'interface'), relay('2600::5', 'interface')]
    const streams = { tcpPort: 3478, tlsPort: 5349 }
    expect(iceServers({}, relays, streams).iceServers[1]?.urls).toEqual([
      'turn:203.0.113.5:3478?transport=udp',
      'turn:[2600::5]:3478?transport=udp',
      'turn:203.0.113.5:3478?transport=tcp',
    ])
    expect(iceServers({ HAIRPIN_TURN_HOST: 'turn.example.org' }, relays, streams).iceServers[1]?.urls).toEqual([
      'turn:turn.example.org:3478?transport=udp',
      'turn:turn.example.org:3478?transport=tcp',
      'turns:turn.example.org:5349?transport=tcp',
    ])
  })

  it('prefer the configured name', () => {
    const { iceServers: list } = iceServers({ HAIRPIN_TURN_HOST: 'turn.example.org' }, [
      relay('203.0.113.5', 'interface'),
    ])
    expect(list[1]?.urls).toEqual(['turn:turn.example.org:3478?transport=udp'])
  })
})
