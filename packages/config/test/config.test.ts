import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, changedVariables, loadConfig, loadSecrets, loadSettings, withLive } from '../src/index.ts'

describe('environment', () => {
  it('has working defaults, and an empty value counts as not set', () => {
    const config = loadConfig({ HAIRPIN_TURN_PORT: '', HAIRPIN_REALM: ' ' })
    expect(config.turn).toMatchObject({ port: 3478, realm: 'hairpin', engine: 'hairpin' })
    expect(config.turn.relayPorts).toEqual({ min: 49152, max: 65535 })
    expect(config.admin.host).toBe('127.0.0.1')
  })

  it('reads external addresses with their 1:1 NAT partner, both families', () => {
    const config = loadConfig({ HAIRPIN_EXTERNAL_IP: '192.0.2.1/10.0.0.4, 2001:db8::1' })
    expect(config.turn.externalIps).toEqual([{ public: '192.0.2.1', local: '10.0.0.4' }, { public: '2001:db8::1' }])
  })

  it('relays TCP only when told to', () => {
    expect(loadConfig({ HAIRPIN_TCP_RELAY_CONNECTIONS: '4' }).turn.tcpRelay).toBeUndefined()
    expect(loadConfig({ HAIRPIN_TCP_RELAY: '1' }).turn.tcpRelay).toEqual({ connections: 16 })
  })

  it('listens for TLS with a certificate and its key, never with one alone', () => {
    expect(loadConfig({}).turn.tls).toBeUndefined()
    const both = { HAIRPIN_TLS_CERT: '/tls/cert.pem', HAIRPIN_TLS_KEY: '/tls/key.pem' }
    expect(loadConfig(both).turn.tls).toEqual({ port: 5349, cert: '/tls/cert.pem', key: '/tls/key.pem' })
    expect(() => loadConfig({ ...both, HAIRPIN_TURNS_PORT: '3478' })).toThrow(/^HAIRPIN_TURNS_PORT/)
    expect(() => loadConfig({ HAIRPIN_TLS_CERT: '/c' })).toThrow(/^HAIRPIN_TLS_KEY/)
    expect(() => loadConfig({ HAIRPIN_TLS_KEY: '/k' })).toThrow(/^HAIRPIN_TLS_CERT/)
  })

  it.each([
    ['HAIRPIN_TURN_PORT', '70000'],
    ['HAIRPIN_TURN_PORT', '34x'],
    ['HAIRPIN_TURNS_PORT', '70000'],
    ['HAIRPIN_PROXY_PROTOCOL_FROM', 'haproxy'],
    ['HAIRPIN_RELAY_PORTS', '60000-50000'],
    ['HAIRPIN_RELAY_PORTS', '80-90'],
    ['HAIRPIN_EXTERNAL_IP', 'example.com'],
    ['HAIRPIN_EXTERNAL_IP', '192.0.2.1/2001:db8::1'],
    ['HAIRPIN_PEER_DENY', '10.0.0.0/33'],
    ['HAIRPIN_TURN_ENGINE', 'coturn'],
    ['HAIRPIN_TURN_SECRETS', 'short'],
    ['HAIRPIN_API_KEYS', 'no-colon'],
    ['HAIRPIN_API_KEYS', 'app:short'],
    ['HAIRPIN_ORIGINS', 'example.com'],
    ['HAIRPIN_DEMO', 'maybe'],
    ['HAIRPIN_RESUME_GRACE', '601'],
    ['HAIRPIN_SOURCE_CONNECTIONS', '0'],
    ['HAIRPIN_MESSAGE_TYPE_RATES', 'message'],
    ['HAIRPIN_MESSAGE_TYPE_RATES', 'message=0'],
    ['HAIRPIN_VAPID_SUBJECT', 'me'],
    ['HAIRPIN_VAPID_PUBLIC_KEY', 'short'],
    ['HAIRPIN_PUSH_ORIGINS', 'push.example.com'],
    ['HAIRPIN_APNS_URL', 'ftp://apple.example'],
    ['HAIRPIN_SIGNALING_SECRETS', 'no-colon-but-long-enough-for-a-secret'],
    ['HAIRPIN_SIGNALING_SECRETS', 'shop:short'],
    ['HAIRPIN_JWKS_URL', 'shop:jwks.json'],
    ['HAIRPIN_JWKS_URL', 'http://id.example.com/jwks.json'],
    ['HAIRPIN_JWKS_URL', 'shop:file:///nonexistent/jwks.json'],
    ['HAIRPIN_TURN_API', '/run/turn.sock'],
    ['HAIRPIN_TTL_MAX', '10'],
    ['HAIRPIN_HTTP_HOST', 'localhost'],
    ['HAIRPIN_TRUSTED_PROXIES', 'caddy'],
    ['HAIRPIN_LOG_LEVEL', 'loud'],
    ['HAIRPIN_STUN_SERVER', 'stun.example.com'],
    ['HAIRPIN_DATAPATH', 'ebpf'],
    ['HAIRPIN_TCP_RELAY', 'maybe'],
    ['HAIRPIN_TCP_RELAY_CONNECTIONS', '0'],
    ['HAIRPIN_CHALLENGE_RATE', '-1'],
    ['HAIRPIN_MAX_BPS', '1M'],
    ['HAIRPIN_DRAIN_SECONDS', '-1'],
    ['HAIRPIN_ALTERNATE_SERVER', 'turn.example.com:3478'],
    ['HAIRPIN_ALTERNATE_SERVER', '192.0.2.1'],
    ['HAIRPIN_ALTERNATE_SERVER', '192.0.2.1:1,192.0.2.2:1'],
    ['HAIRPIN_CREDENTIAL_EXPIRY', 'never'],
    ['HAIRPIN_CREDENTIAL_GRACE', '0'],
    ['HAIRPIN_SOURCE_PREFIX', '24'],
    ['HAIRPIN_SOURCE_PREFIX', '33,48'],
    ['HAIRPIN_LIFETIME', '59'],
    ['HAIRPIN_DISCOVERY_IPS', '192.0.2.1'],
    ['HAIRPIN_DISCOVERY_IPS', '192.0.2.1,2001:db8::1'],
    ['HAIRPIN_DISCOVERY_PORT', '70000'],
    ['HAIRPIN_MAX_LIFETIME', '599'],
    ['HAIRPIN_MAX_CHANNELS', '16385'],
  ])('stops the start and names %s when it is "%s"', (name, value) => {
    const error = caught(() => loadConfig({ [name]: value }))
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).variable).toBe(name)
  })
})

describe('what verifies signaling tokens', () => {
  it('is secrets by app, and key sets for one app or any', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hairpin-')), 'jwks.json')
    writeFileSync(file, '{"keys":[{"kty":"OKP"}]}')
    const secret = 's'.repeat(32)
    const { identity } = loadConfig({
      HAIRPIN_SIGNALING_SECRETS: `shop:${secret}, shop:${secret}2`,
      HAIRPIN_JWKS_URL: `https://id.example/jwks.json, shop:http://keycloak:8080/certs, shop:file://${file}`,
      HAIRPIN_TOKEN_AUDIENCE: 'calls',
    })
    expect(identity).toEqual({
      secrets: [
        { app: 'shop', secret },
        { app: 'shop', secret: `${secret}2` },
      ],
      sources: [
        { keys: { url: 'https://id.example/jwks.json' } },
        { app: 'shop', keys: { url: 'http://keycloak:8080/certs' } },
        { app: 'shop', keys: { document: { keys: [{ kty: 'OKP' }] } } },
      ],
      audience: 'calls',
    })
    writeFileSync(file, '{"keys":[{"kty":"OKP","d":"private"}]}')
    expect(() => loadConfig({ HAIRPIN_JWKS_URL: `file://${file}` })).toThrow(/HAIRPIN_JWKS_URL.*private/)
  })
})

describe('the settings file', () => {
  const folder = () => mkdtempSync(join(tmpdir(), 'hairpin-'))

  it('counts before the environment, and an empty value there means the default', () => {
    const HAIRPIN_DATA_DIR = folder()
    const path = join(HAIRPIN_DATA_DIR, 'hairpin.env')
    const source = { HAIRPIN_DATA_DIR, HAIRPIN_USER_QUOTA: '3', HAIRPIN_TOTAL_QUOTA: '7', HAIRPIN_MAX_BPS: '9' }
    expect(loadSettings(source).config.turn).toMatchObject({ userQuota: 3, totalQuota: 7 })
    writeFileSync(path, 'HAIRPIN_USER_QUOTA=5 # five\nHAIRPIN_TOTAL_QUOTA=\nHAIRPIN_DOMAIN=calls.example\nOTHER=1\n')
    const { config, path: read } = loadSettings(source)
    expect(read).toBe(path)
    expect(config.turn).toMatchObject({ userQuota: 5, totalQuota: 0, bandwidth: { perAllocation: 9 } })
  })

  it('is refused when it names what there is not, is no list of settings, or is named and missing', () => {
    const HAIRPIN_CONFIG_FILE = join(folder(), 'settings')
    const refused = (text: string) => {
      writeFileSync(HAIRPIN_CONFIG_FILE, text)
      return (caught(() => loadSettings({ HAIRPIN_CONFIG_FILE })) as ConfigError).variable
    }
    expect(refused('HAIRPIN_USER_QOUTA=1')).toBe('HAIRPIN_USER_QOUTA')
    expect(refused('HAIRPIN_USER_QUOTA=many')).toBe('HAIRPIN_USER_QUOTA')
    expect(refused('user quota: 5\nHAIRPIN_DEMO=1')).toBe('HAIRPIN_CONFIG_FILE')
    rmSync(HAIRPIN_CONFIG_FILE)
    expect(() => loadSettings({ HAIRPIN_CONFIG_FILE })).toThrow(/^HAIRPIN_CONFIG_FILE.*ENOENT/)
  })

  it('changes what can change, and says what cannot', () => {
    const before = {
      HAIRPIN_PEER_DENY: '192.0.2.0/24',
      HAIRPIN_REALM: 'a',
      HAIRPIN_API_KEYS: 'shop:key-0123456789abcdef',
    }
    const after = { HAIRPIN_PEER_DENY: '198.51.100.0/24', HAIRPIN_REALM: 'b', HAIRPIN_MAX_BPS: ' ' }
    expect(changedVariables(before, after)).toEqual({
      live: ['HAIRPIN_API_KEYS', 'HAIRPIN_PEER_DENY'],
      fixed: ['HAIRPIN_REALM'],
    })
    const config = withLive(loadConfig(before), loadConfig(after))
    expect(config.turn).toMatchObject({ peerDeny: ['198.51.100.0/24'], realm: 'a' })
    expect(config.credentials.apiKeys).toBeUndefined()
  })
})

describe('secrets', () => {
  const fresh = () => loadConfig({ HAIRPIN_DATA_DIR: mkdtempSync(join(tmpdir(), 'hairpin-')) })

  it('are generated once, readable by the owner alone, and stay', () => {
    const config = fresh()
    const first = loadSecrets(config)
    expect(loadSecrets(config)).toEqual(first)
    expect(statSync(join(config.dataDir, 'secrets.json')).mode & 0o777).toBe(0o600)
    expect(loadSecrets(fresh()).turnSecrets).not.toEqual(first.turnSecrets)
  })

  it('give way to configured ones without being overwritten', () => {
    const config = fresh()
    const generated = loadSecrets(config)
    const named = loadConfig({
      HAIRPIN_DATA_DIR: config.dataDir,
      HAIRPIN_TURN_SECRETS: 'new-secret-0123456789,old-secret-0123456789',
      HAIRPIN_API_KEYS: 'shop:key-0123456789abcdef',
    })
    expect(loadSecrets(named).turnSecrets).toEqual(['new-secret-0123456789', 'old-secret-0123456789'])
    expect(loadSecrets(named).apiKeys).toEqual([{ app: 'shop', key: 'key-0123456789abcdef' }])
    expect(JSON.parse(readFileSync(join(config.dataDir, 'secrets.json'), 'utf8')).turnSecrets).toEqual(
      generated.turnSecrets,
    )
  })

  it('that cannot be read stop the start with the folder named, and stay as they are', () => {
    const config = fresh()
    const path = join(config.dataDir, 'secrets.json')
    writeFileSync(path, '{"turnSecrets":[]}')
    expect(() => loadSecrets(config)).toThrow(/HAIRPIN_DATA_DIR.*turnSecrets/)
    expect(readFileSync(path, 'utf8')).toBe('{"turnSecrets":[]}')
  })
})

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
