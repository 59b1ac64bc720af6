import { describe, expect, it } from 'vitest'
import { joinAs, tokenOf, twoApps } from './support/identity.ts'
import { startServer } from './support/server.ts'

const offer = { type: 'offer', sdp: 'v=0 offer' }
const answer = { type: 'answer', sdp: 'v=0 answer' }
const identity = twoApps

describe('a client with a token', () => {
  it('is the token’s user, whatever it calls itself, and gets servers for its app', async () => {
    const server = await startServer({ identity, demo: false })
    const client = await server.connect()
    client.send({
      type: 'username',
      name: 'somebody',
      token: await tokenOf({ user: 'anna@shop.example', name: 'Anna' }),
    })
    expect(await client.next('rejectusername')).toMatchObject({ name: 'anna@shop.example' })
    const { expiresAt, renew } = await client.next('token')
    expect(renew).toBe(false)
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(590_000)
    expect((await client.next('ice-servers')).iceServers[0]?.username).toBe('1:shop/anna@shop.example')
    expect(await client.next('userlist')).toMatchObject({
      users: ['anna@shop.example'],
      labels: { 'anna@shop.example': 'Anna' },
    })
    client.send({ type: 'username', name: 'mallory' })
    expect(await client.next('rejectusername')).toMatchObject({ name: 'anna@shop.example' })
  })

  it('is let in beside another whose name differs in case only', async () => {
    const server = await startServer({ identity })
    await joinAs(server, { user: 'anna' })
    const other = await joinAs(server, { user: 'Anna' })
    expect(other.received.at(-1)).toMatchObject({ users: ['anna', 'Anna'] })
  })

  it.each([
    ['a wrong one', async () => `${await tokenOf({ user: 'anna' })}x`, 'SIG_TOKEN_INVALID', 4401],
    ['none at all', async () => 'nonsense', 'SIG_TOKEN_INVALID', 4401],
    ['an old one', () => tokenOf({ user: 'anna', ttl: 60 }, Date.now() - 3_600_000), 'SIG_TOKEN_EXPIRED', 4440],
  ])('and that is %s is refused', async (_what, token, code, close) => {
    const server = await startServer({ identity })
    const client = await server.connect()
    client.send({ type: 'username', name: 'anna', token: await token() })
    expect(await client.next('error')).toMatchObject({ code, about: 'username' })
    expect((await client.closed).code).toBe(close)
    expect(await server.metric('hairpin_signaling_users')).toBe(0)
  })

  it('whose keys cannot be fetched should come back', async () => {
    const sources = [{ app: 'shop', keys: { url: 'http://127.0.0.1:9/jwks.json' } }]
    const server = await startServer({ identity: { secrets: [], sources } })
    const client = await server.connect()
    const header = Buffer.from('{"alg":"RS256","kid":"k1"}').toString('base64url')
    client.send({ type: 'username', name: '', token: `${header}.e30.AAAA` })
    expect(await client.next('error')).toMatchObject({ code: 'SIG_TOKEN_KEYS_UNAVAILABLE' })
    expect((await client.closed).code).toBe(4503)
  })

  it('can resume without it', async () => {
    const server = await startServer({ identity })
    const client = await joinAs(server, { user: 'anna' }, { resume: true })
    const { token } = await client.next('session')
    client.socket.terminate()
    const again = await server.connect()
    again.send({ type: 'resume', token, seq: client.received.at(-1)?.seq })
    expect(await again.next('resumed')).toMatchObject({ name: 'anna' })
    again.send({ type: 'token', token: await tokenOf({ user: 'anna' }) })
    await again.next('token')
  })
})

describe('apps and guests', () => {
  it('know nothing of one another', async () => {
    const server = await startServer({ identity })
    const anna = await joinAs(server, { user: 'anna' })
    const bob = await joinAs(server, { user: 'bob' })
    const namesake = await joinAs(server, { user: 'anna', app: 'clinic' })
    const guest = await server.join('anna')
    expect(namesake.received.at(-1)).toMatchObject({ users: ['anna'] })
    expect(guest.received.some(({ type }) => type === 'rejectusername')).toBe(false)
    bob.send({ type: 'message', text: 'to all' })
    await anna.next('message')
    for (const outsider of [namesake, guest]) {
      outsider.send({ type: 'video-offer', target: 'bob', sdp: offer })
      expect(await outsider.next('call-ended')).toMatchObject({ name: 'bob', reason: 'offline' })
      outsider.send({ type: 'message', text: 'psst', target: 'bob' })
      expect(await outsider.next('error')).toMatchObject({ code: 'SIG_TARGET_UNKNOWN' })
      outsider.send({ type: 'x-custom', target: 'bob' })
      expect(await outsider.next('error')).toMatchObject({ code: 'SIG_TARGET_UNKNOWN' })
      expect(await outsider.settled()).not.toContain('message')
    }
    expect(await bob.settled()).not.toContain('video-offer')
    expect(bob.received.filter(({ type }) => type === 'userlist').at(-1)).toMatchObject({ users: ['anna', 'bob'] })
    expect(await server.metric('hairpin_signaling_users')).toBe(4)
  })
})

describe('who may be called', () => {
  it('is what the token says: for new calls, not within one', async () => {
    const server = await startServer({ identity })
    const anna = await joinAs(server, { user: 'anna', call: ['bob'] })
    const bob = await joinAs(server, { user: 'bob', call: [] })
    const carol = await joinAs(server, { user: 'carol', call: ['*'] })
    for (const target of ['carol', 'nobody']) {
      anna.send({ type: 'video-offer', target, sdp: offer })
      expect(await anna.next('error')).toMatchObject({ code: 'SIG_CALL_FORBIDDEN', about: 'video-offer' })
    }
    bob.send({ type: 'video-offer', target: 'anna', sdp: offer })
    expect(await bob.next('error')).toMatchObject({ code: 'SIG_CALL_FORBIDDEN' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer, media: 'audio' })
    expect(await bob.next('video-offer')).toMatchObject({ name: 'anna', media: 'audio' })
    bob.send({ type: 'video-answer', target: 'anna', sdp: answer })
    await anna.next('video-answer')
    bob.send({ type: 'video-offer', target: 'anna', sdp: offer })
    await anna.next('video-offer')
    carol.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await carol.next('call-ended')).toMatchObject({ reason: 'busy' })
  })
})

describe('a fresh token on a live socket', () => {
  it('carries the session on, with new permissions', async () => {
    const server = await startServer({ identity })
    const anna = await joinAs(server, { user: 'anna', call: [] })
    await joinAs(server, { user: 'bob' })
    const before = await anna.next('token')
    anna.send({ type: 'token', token: await tokenOf({ user: 'anna', ttl: 3600, name: 'Anna A.' }) })
    const after = await anna.next('token')
    expect(Date.parse(after.expiresAt)).toBeGreaterThan(Date.parse(before.expiresAt) + 2_000_000)
    await anna.next('userlist', ({ labels }) => labels?.anna === 'Anna A.')
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await anna.next('ringing')
  })

  it.each([
    ['of another user', { user: 'bob' }],
    ['of another app', { user: 'anna', app: 'clinic' }],
  ])('%s changes nothing', async (_what, claims) => {
    const server = await startServer({ identity })
    const anna = await joinAs(server, { user: 'anna' })
    anna.send({ type: 'token', token: await tokenOf(claims) })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_TOKEN_MISMATCH', about: 'token' })
    anna.send({ type: 'token', token: 'nonsense' })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_TOKEN_INVALID', about: 'token' })
    expect(await anna.settled()).toContain('userlist')
  })

  it('is nothing for a guest', async () => {
    const server = await startServer({ identity })
    const guest = await server.join('guest')
    guest.send({ type: 'token', token: await tokenOf({ user: 'anna' }) })
    expect(await guest.next('error')).toMatchObject({ code: 'SIG_TOKEN_MISMATCH' })
  })
})

describe('a token that ends', () => {
  it('is asked for anew, then takes its session along', async () => {
    const server = await startServer({ identity })
    const anna = await joinAs(server, { user: 'anna', ttl: 2 })
    const bob = await joinAs(server, { user: 'bob' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await bob.next('video-offer')
    await anna.next('token', ({ renew }) => renew)
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_TOKEN_EXPIRED' })
    expect((await anna.closed).code).toBe(4440)
    expect(await bob.next('call-ended')).toMatchObject({ reason: 'disconnected' })
  })
})
