import { describe, expect, it } from 'vitest'
import { openPushGateway } from '../../src/push/gateway.ts'
import type { Client } from '../support/client.ts'
import { joinAs, tokenOf, twoApps } from '../support/identity.ts'
import { startServer, type TestOptions, type TestServer } from '../support/server.ts'
import { configWith, dataFolder, service, subscriber } from './support.ts'

const offer = { type: 'offer', sdp: 'v=0 offer' }
const answer = { type: 'answer', sdp: 'v=0 answer' }

/** A server with a push service that Bob's browser is subscribed to. */
async function start(status = () => 201, options: TestOptions = {}, folder = dataFolder()) {
  const pushes = await service(() => ({ status: status() }))
  const push = openPushGateway(configWith({ HAIRPIN_PUSH_ORIGINS: pushes.origin }, folder))
  const server = await startServer({ identity: twoApps, push, ...options })
  const browser = subscriber(`${pushes.origin}/bob`)
  return { server, pushes, browser }
}

async function register(client: Client, endpoint: object): Promise<void> {
  client.send({ type: 'push-register', endpoint })
  await client.next('push-registered')
}

/** Bob registers and closes his page. */
async function registerAndLeave(world: Awaited<ReturnType<typeof start>>): Promise<void> {
  const bob = await joinAs(world.server, { user: 'bob' })
  await register(bob, world.browser.endpoint)
  bob.socket.close(1000)
  await nobodyIsHere(world.server)
}

async function nobodyIsHere(server: TestServer): Promise<void> {
  while ((await server.metric('hairpin_signaling_users')) > 0) await new Promise(setImmediate)
}

describe('a call to somebody who is not here', () => {
  it('wakes the device by a push, rings when it joins, and connects', async () => {
    const world = await start()
    await registerAndLeave(world)
    const anna = await joinAs(world.server, { user: 'anna', name: 'Anna A.' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer, media: 'audio' })
    anna.send({ type: 'new-ice-candidate', target: 'bob', candidate: null })
    const { callId } = await anna.next('waking')
    const push = await world.pushes.request(0)
    expect(world.browser.decrypt(push.body)).toMatchObject({
      type: 'incoming-call',
      callId,
      name: 'anna',
      label: 'Anna A.',
      target: 'bob',
      media: 'audio',
    })
    expect(await anna.settled()).not.toContain('ringing')
    const bob = await joinAs(world.server, { user: 'bob' })
    expect(await bob.next('video-offer')).toMatchObject({ callId, name: 'anna', sdp: offer })
    expect(await anna.next('ringing')).toMatchObject({ callId, name: 'bob' })
    bob.send({ type: 'video-answer', target: 'anna', sdp: answer })
    expect(await anna.next('video-answer')).toMatchObject({ callId })
    await bob.next('new-ice-candidate')
    expect(await world.server.metric('hairpin_pushes_total{kind="web",result="sent"}')).toBe(1)
  })

  it('that ends before the device is here is told as missed, once, by push and at the next join', async () => {
    const world = await start(undefined, { limits: { ringMs: 150 } })
    await registerAndLeave(world)
    const anna = await joinAs(world.server, { user: 'anna' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    const { callId } = await anna.next('waking')
    expect(await anna.next('call-ended')).toMatchObject({ callId, reason: 'no-answer' })
    expect(world.browser.decrypt((await world.pushes.request(1)).body)).toMatchObject({ type: 'missed-call', callId })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    const second = await anna.next('waking')
    anna.send({ type: 'hang-up', target: 'bob' })
    await anna.next('call-ended', (ended) => ended.callId === second.callId)
    const bob = await joinAs(world.server, { user: 'bob' })
    expect(await bob.next('missed-call')).toMatchObject({ callId, name: 'anna' })
    await bob.next('missed-call')
    expect(await bob.settled()).not.toContain('video-offer')
    const again = await joinAs(world.server, { user: 'bob' })
    expect(await again.settled()).not.toContain('missed-call')
  })

  it('is answered once though several devices are woken, and waits while one that came goes again', async () => {
    const world = await start()
    await registerAndLeave(world)
    const anna = await joinAs(world.server, { user: 'anna' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await anna.next('waking')
    const phone = await joinAs(world.server, { user: 'bob' })
    await phone.next('video-offer')
    await anna.next('ringing')
    phone.socket.close(1000)
    await anna.next('userlist', ({ users }) => users.join() === 'anna')
    const [tablet, laptop] = [await joinAs(world.server, { user: 'bob' }), await joinAs(world.server, { user: 'bob' })]
    await tablet.next('video-offer')
    await laptop.next('video-offer')
    laptop.send({ type: 'video-answer', target: 'anna', sdp: answer })
    await tablet.next('answered-elsewhere')
    expect((await anna.settled()).filter((type) => type === 'ringing' || type === 'call-ended')).toEqual(['ringing'])
  })

  it('is offline without an endpoint, and with one that is of another app', async () => {
    const world = await start()
    await registerAndLeave(world)
    const stranger = await joinAs(world.server, { app: 'clinic', user: 'anna' })
    stranger.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await stranger.next('call-ended')).toMatchObject({ reason: 'offline' })
    const anna = await joinAs(world.server, { user: 'anna', call: ['carol'] })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_CALL_FORBIDDEN' })
    expect(world.pushes.received).toEqual([])
  })

  it('is not made again and again: pushes are a scarce good', async () => {
    const world = await start(undefined, { limits: { wakeBurst: 2, wakesPerSecond: 0.001 } })
    await registerAndLeave(world)
    const anna = await joinAs(world.server, { user: 'anna' })
    for (let i = 0; i < 2; i++) {
      anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
      await anna.next('waking')
      anna.send({ type: 'hang-up' })
      await anna.next('call-ended')
    }
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_RATE_LIMITED', about: 'video-offer' })
  })

  it('finds others busy while it waits', async () => {
    const world = await start()
    await registerAndLeave(world)
    const [anna, carol] = [await joinAs(world.server, { user: 'anna' }), await joinAs(world.server, { user: 'carol' })]
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await anna.next('waking')
    carol.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await carol.next('call-ended')).toMatchObject({ reason: 'busy' })
  })
})

describe('a device that lost its connection', () => {
  it('is woken though its session still stands, and rings when it resumes', async () => {
    const world = await start()
    const bob = await world.server.connect()
    bob.send({ type: 'username', name: '', token: await tokenOf({ user: 'bob' }), resume: true })
    const { token } = await bob.next('session')
    await register(bob, world.browser.endpoint)
    const seq = bob.received.at(-1)?.seq
    bob.socket.terminate()
    while ((await world.server.metric('hairpin_signaling_detached_sessions')) === 0) await new Promise(setImmediate)
    const anna = await joinAs(world.server, { user: 'anna' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    const { callId } = await anna.next('waking')
    await world.pushes.request(0)
    const back = await world.server.connect()
    back.send({ type: 'resume', token, seq })
    expect(await back.next('video-offer')).toMatchObject({ callId })
    expect(await anna.next('ringing')).toMatchObject({ callId })
  })
})

describe('an endpoint', () => {
  it('is dropped when the push service says that it is gone, and the caller learns that nobody came', async () => {
    const world = await start(() => 410)
    await registerAndLeave(world)
    const anna = await joinAs(world.server, { user: 'anna' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await anna.next('waking')
    while ((await world.server.metric('hairpin_pushes_total{kind="web",result="gone"}')) === 0)
      await new Promise(setImmediate)
    anna.send({ type: 'hang-up', target: 'bob' })
    await anna.next('call-ended')
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await anna.next('call-ended', ({ reason }) => reason !== 'cancelled')).toMatchObject({ reason: 'offline' })
  })

  it('outlives a restart, and so does a missed call', async () => {
    const folder = dataFolder()
    const first = await start(undefined, {}, folder)
    await registerAndLeave(first)
    const anna = await joinAs(first.server, { user: 'anna' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await anna.next('waking')
    anna.send({ type: 'hang-up' })
    await anna.next('call-ended')
    await first.server.app.close()

    const push = openPushGateway(configWith({}, folder))
    expect(push.records.endpoints).toEqual([{ user: 'shop/bob', endpoint: first.browser.endpoint }])
    const second = await startServer({ identity: twoApps, push })
    const bob = await joinAs(second, { user: 'bob' })
    expect(await bob.next('missed-call')).toMatchObject({ name: 'anna' })
  })

  it('is refused when it is at no push service, or of a kind that this server does not send', async () => {
    const { server } = await start()
    const bob = await joinAs(server, { user: 'bob' })
    bob.send({ type: 'push-keys' })
    expect(await bob.next('push-keys')).toMatchObject({ fcm: false, apns: false, vapid: expect.any(String) })
    bob.send({ type: 'push-register', endpoint: subscriber('http://127.0.0.1:9464/').endpoint })
    expect(await bob.next('error')).toMatchObject({ code: 'SIG_PUSH_ORIGIN', about: 'push-register' })
    bob.send({ type: 'push-register', endpoint: { kind: 'fcm', address: 'x' } })
    expect(await bob.next('error')).toMatchObject({ code: 'SIG_PUSH_UNSUPPORTED' })
    bob.send({ type: 'push-register', endpoint: { kind: 'web', address: 'https://fcm.googleapis.com/x' } })
    expect(await bob.next('error')).toMatchObject({ code: 'SIG_BAD_MESSAGE' })
  })

  it('belongs to its last registrant, who alone may unregister it', async () => {
    const world = await start()
    await registerAndLeave(world)
    const carol = await joinAs(world.server, { user: 'carol' })
    const { endpoint } = world.browser
    carol.send({ type: 'push-unregister', address: endpoint.address })
    carol.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await carol.next('waking')
    carol.send({ type: 'hang-up' })
    await register(carol, endpoint)
    carol.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await carol.next('call-ended', ({ reason }) => reason === 'offline')
  })

  it('of a guest rings for whoever joins under the name', async () => {
    const world = await start()
    const bob = await world.server.join('Bob')
    await register(bob, world.browser.endpoint)
    bob.socket.close(1000)
    await nobodyIsHere(world.server)
    const anna = await world.server.join('anna')
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    const { callId } = await anna.next('waking')
    const back = await world.server.join('bob')
    expect(await back.next('video-offer')).toMatchObject({ callId })
    back.send({ type: 'video-answer', target: 'anna', sdp: answer })
    await anna.next('video-answer')
    anna.send({ type: 'hang-up', target: 'bob' })
    expect(await back.next('call-ended')).toMatchObject({ callId, reason: 'hang-up' })
  })
})
