import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../src/index.ts'

const four = {
  HAIRPIN_WHATSAPP_VERIFY_TOKEN: 'verify me',
  HAIRPIN_WHATSAPP_APP_SECRET: 'shh',
  HAIRPIN_WHATSAPP_ACCESS_TOKEN: 'EAAB',
  HAIRPIN_WHATSAPP_PHONE_NUMBER_ID: '106540352242922',
}

describe('the WhatsApp bridge', () => {
  it('is off when none of its four variables is set, whatever else is', () => {
    expect(loadConfig({ HAIRPIN_WHATSAPP_CALLS: '5' }).whatsapp).toBeUndefined()
    expect(loadConfig({}).desk).toEqual({ app: 'demo', guests: false })
  })

  it('is on with the four, and has defaults for the rest', () => {
    expect(loadConfig(four).whatsapp).toEqual({
      verifyToken: 'verify me',
      appSecret: 'shh',
      accessToken: 'EAAB',
      phoneNumberId: '106540352242922',
      graphUrl: 'https://graph.facebook.com/v23.0',
      mode: 'bridge',
      media: { ports: { min: 48000, max: 48999 } },
      calls: 200,
      ring: 45,
      permissionText: 'May we call you on WhatsApp?',
      records: { days: 365, fullNumbers: false },
    })
  })

  it('names what is missing when only some are set', () => {
    const { HAIRPIN_WHATSAPP_APP_SECRET: _, HAIRPIN_WHATSAPP_PHONE_NUMBER_ID: __, ...two } = four
    const variable = 'HAIRPIN_WHATSAPP_APP_SECRET, HAIRPIN_WHATSAPP_PHONE_NUMBER_ID'
    expect(() => loadConfig(two)).toThrow(expect.objectContaining({ variable }))
  })

  it.each([
    ['HAIRPIN_WHATSAPP_PHONE_NUMBER_ID', '+49 30 123456'],
    ['HAIRPIN_WHATSAPP_ACCESS_TOKEN', 'two words'],
    ['HAIRPIN_WHATSAPP_GRAPH_URL', 'https://graph.facebook.com'],
    ['HAIRPIN_WHATSAPP_GRAPH_URL', 'graph.facebook.com/v23.0'],
    ['HAIRPIN_WHATSAPP_MODE', 'proxy'],
    ['HAIRPIN_WHATSAPP_MEDIA_PORTS', '48999-48000'],
    ['HAIRPIN_WHATSAPP_MEDIA_PORTS', '49000-49200'],
    ['HAIRPIN_WHATSAPP_MEDIA_PORTS', '48000-48598'],
    ['HAIRPIN_WHATSAPP_MEDIA_IP', '192.0.2.1,192.0.2.2'],
    ['HAIRPIN_WHATSAPP_MEDIA_IP', 'eth0'],
    ['HAIRPIN_WHATSAPP_CALLS', '0'],
    ['HAIRPIN_WHATSAPP_RING', '61'],
    ['HAIRPIN_WHATSAPP_PERMISSION_TEXT', 'please '.repeat(200)],
    ['HAIRPIN_WHATSAPP_RECORD_DAYS', 'forever'],
    ['HAIRPIN_WHATSAPP_NUMBERS', 'none'],
    ['HAIRPIN_WHATSAPP_DESK', '/run/desk.sock'],
    ['HAIRPIN_WHATSAPP_APP', 'my app'],
    ['HAIRPIN_WHATSAPP_GUEST_AGENTS', 'some'],
  ])('does not start with %s=%s', (variable, value) => {
    expect(() => loadConfig({ ...four, [variable]: value })).toThrow(ConfigError)
    expect(() => loadConfig({ ...four, [variable]: value })).toThrow(expect.objectContaining({ variable }))
  })

  it('may have ports next to those of the relay, and any in direct mode, where it has no media', () => {
    const next = { ...four, HAIRPIN_RELAY_PORTS: '40000-40999', HAIRPIN_WHATSAPP_MEDIA_PORTS: '41000-41599' }
    expect(loadConfig(next).whatsapp?.media.ports).toEqual({ min: 41000, max: 41599 })
    const shared = { ...next, HAIRPIN_WHATSAPP_MEDIA_PORTS: '40500-41599' }
    expect(() => loadConfig(shared)).toThrow('shares ports with HAIRPIN_RELAY_PORTS')
    expect(loadConfig({ ...shared, HAIRPIN_WHATSAPP_MODE: 'direct' }).whatsapp?.mode).toBe('direct')
  })

  it('takes an address to bind to, one of its own or behind 1:1 NAT, and a Graph API elsewhere', () => {
    const set = (HAIRPIN_WHATSAPP_MEDIA_IP: string) => loadConfig({ ...four, HAIRPIN_WHATSAPP_MEDIA_IP }).whatsapp
    expect(set('192.0.2.1')?.media.address).toEqual({ public: '192.0.2.1' })
    expect(set('192.0.2.1/10.0.0.1')?.media.address).toEqual({ public: '192.0.2.1', local: '10.0.0.1' })
    const url = 'http://127.0.0.1:5000/v23.0/'
    expect(loadConfig({ ...four, HAIRPIN_WHATSAPP_GRAPH_URL: url }).whatsapp?.graphUrl).toBe(url.slice(0, -1))
  })

  it('has no agents who may not come in', () => {
    const guests = { HAIRPIN_WHATSAPP_GUEST_AGENTS: '1' }
    expect(loadConfig(guests).desk.guests).toBe(true)
    expect(() => loadConfig({ ...guests, HAIRPIN_DEMO: '0' })).toThrow('HAIRPIN_DEMO=0')
  })

  it('is reached at a Unix socket or a port from another process', () => {
    const set = { HAIRPIN_WHATSAPP_DESK: 'unix:/run/desk.sock', HAIRPIN_WHATSAPP_APP: 'shop' }
    expect(loadConfig(set).desk).toEqual({ api: 'unix:/run/desk.sock', app: 'shop', guests: false })
  })
})
