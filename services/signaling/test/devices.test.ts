import { describe, expect, it } from 'vitest'
import { joinAs, tokenOf, twoApps } from './support/identity.ts'
import { startServer } from './support/server.ts'

const offer = { type: 'offer', sdp: 'v=0 offer' }
const answer = { type: 'answer', sdp: 'v=0 answer' }
const candidate = (name: string) => ({ candidate: `candidate:${name}`, sdpMid: '0', sdpMLineIndex: 0 })

/** Anna, and Bob with a phone and a laptop. */
async function threeDevices(limits = {}) {
  const server = await startServer({ identity: twoApps, limits })
  const anna = await joinAs(server, { user: 'anna' })
  const phone = await joinAs(server, { user: 'bob' })
  const laptop = await joinAs(server, { user: 'bob' })
  return { server, anna, phone, laptop }
}

async function ringing(limits = {}) {
  const all = await threeDevices(limits)
  all.anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
  const { callId } = await all.phone.next('video-offer')
  expect(await all.laptop.next('video-offer')).toMatchObject({ callId, name: 'anna', sdp: offer })
  return { ...all, callId }
}

describe('a user with several devices', () => {
  it('is one user in the list, until the last device is gone', async () => {
    const { server, anna, phone, laptop } = await threeDevices()
    await anna.next('userlist', ({ users }) => users.join() === 'anna,bob')
    phone.socket.close(1000)
    await phone.closed
    expect(await server.metric('hairpin_signaling_users')).toBe(2)
    laptop.socket.close(1000)
    await anna.next('userlist', ({ users }) => users.join() === 'anna')
  })

  it('gets texts on all of them, and sees its own from the others', async () => {
    const { anna, phone, laptop } = await threeDevices()
    anna.send({ type: 'message', text: 'hello', target: 'bob' })
    await phone.next('message', ({ text }) => text === 'hello')
    await laptop.next('message', ({ text }) => text === 'hello')
    phone.send({ type: 'message', text: 'hi', target: 'anna' })
    await laptop.next('message', ({ text, name, target }) => text === 'hi' && name === 'bob' && target === 'anna')
  })

  it('has at most so many', async () => {
    const { server } = await threeDevices({ devicesPerUser: 2 })
    const third = await server.connect()
    third.send({ type: 'username', name: '', token: await tokenOf({ user: 'bob' }) })
    expect(await third.next('error')).toMatchObject({ code: 'SIG_TOO_MANY_DEVICES' })
    expect((await third.closed).code).toBe(4429)
  })

  it('cannot call itself', async () => {
    const { phone } = await threeDevices()
    phone.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await phone.next('error')).toMatchObject({ code: 'SIG_CALL_SELF' })
  })
})

describe('a call that rings on several devices', () => {
  it('is of the first that answers; the others hear so, once', async () => {
    const { anna, phone, laptop, callId } = await ringing()
    laptop.send({ type: 'video-answer', target: 'anna', sdp: answer })
    phone.send({ type: 'video-answer', target: 'anna', sdp: answer })
    const answers = await Promise.race([laptop, phone].map((d) => d.next('answered-elsewhere').then((m) => ({ d, m }))))
    expect(answers.m).toMatchObject({ callId, name: 'anna' })
    const loser = answers.d
    const winner = loser === phone ? laptop : phone
    expect(await anna.next('video-answer')).toMatchObject({ callId, name: 'bob' })
    // Too late: sent before it heard of the other's answer.
    expect(await loser.next('error')).toMatchObject({ code: 'SIG_NO_CALL', about: 'video-answer' })
    expect((await anna.settled()).filter((type) => type === 'video-answer')).toHaveLength(1)
    anna.send({ type: 'new-ice-candidate', target: 'bob', candidate: candidate('a') })
    await winner.next('new-ice-candidate')
    anna.send({ type: 'hang-up', target: 'bob' })
    await winner.next('call-ended')
    const heard = await loser.settled()
    for (const type of ['new-ice-candidate', 'call-ended', 'hang-up']) expect(heard).not.toContain(type)
  })

  it('is over for all when one declines, and when the caller cancels', async () => {
    const { anna, phone, laptop } = await ringing()
    phone.send({ type: 'call-reject', target: 'anna' })
    for (const client of [anna, phone, laptop])
      expect(await client.next('call-ended')).toMatchObject({ reason: 'rejected' })
    anna.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await laptop.next('video-offer')
    anna.send({ type: 'hang-up', target: null })
    for (const client of [phone, laptop]) expect(await client.next('call-ended')).toMatchObject({ reason: 'cancelled' })
  })

  it('is missed on all when nobody answers', async () => {
    const { anna, phone, laptop } = await ringing({ ringMs: 60 })
    for (const client of [anna, phone, laptop])
      expect(await client.next('call-ended')).toMatchObject({ reason: 'no-answer' })
  })

  it('gives the caller the candidates of the one that answers, after the answer', async () => {
    const { anna, phone, laptop } = await ringing()
    phone.send({ type: 'new-ice-candidate', target: 'anna', candidate: candidate('phone') })
    laptop.send({ type: 'new-ice-candidate', target: 'anna', candidate: candidate('laptop') })
    await laptop.settled()
    await phone.settled()
    expect(await anna.settled()).not.toContain('new-ice-candidate')
    laptop.send({ type: 'video-answer', target: 'anna', sdp: answer })
    await anna.next('new-ice-candidate')
    const got = anna.received.filter(({ type }) => type.startsWith('video') || type === 'new-ice-candidate')
    expect(got).toMatchObject([{ type: 'video-answer' }, { candidate: candidate('laptop') }])
  })

  it('gives the candidates of the caller to the one that answers, and to no other', async () => {
    const { anna, phone, laptop, callId } = await ringing()
    anna.send({ type: 'new-ice-candidate', target: 'bob', candidate: candidate('a') })
    await anna.settled()
    expect(await phone.settled()).not.toContain('new-ice-candidate')
    for (const device of [laptop, phone]) device.send({ type: 'video-answer', target: 'anna', sdp: answer })
    expect(await laptop.next('new-ice-candidate')).toMatchObject({ callId, candidate: candidate('a') })
    expect(await phone.settled()).not.toContain('new-ice-candidate')
  })

  it('rings on a device that comes late', async () => {
    const { server, anna, callId } = await ringing()
    anna.send({ type: 'new-ice-candidate', target: 'bob', candidate: candidate('a') })
    await anna.settled()
    const tablet = await joinAs(server, { user: 'bob' })
    expect(await tablet.next('video-offer')).toMatchObject({ callId, sdp: offer })
    tablet.send({ type: 'video-answer', target: 'anna', sdp: answer })
    await anna.next('video-answer')
    expect(await tablet.next('new-ice-candidate')).toMatchObject({ callId, candidate: candidate('a') })
  })

  it('goes on when one of them is gone', async () => {
    const { server, anna, phone, laptop } = await ringing()
    phone.socket.terminate()
    await phone.closed
    while ((await server.metric('hairpin_signaling_connections')) > 2) await laptop.settled()
    laptop.send({ type: 'video-answer', target: 'anna', sdp: answer })
    await anna.next('video-answer')
    expect(await anna.settled()).not.toContain('call-ended')
  })

  it('keeps the user busy for others while one of them talks', async () => {
    const { server, anna, phone } = await ringing()
    phone.send({ type: 'video-answer', target: 'anna', sdp: answer })
    await anna.next('video-answer')
    const carol = await joinAs(server, { user: 'carol' })
    carol.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await carol.next('call-ended')).toMatchObject({ reason: 'busy' })
  })
})

describe('the state of a connected call', () => {
  it('is told to the other side: muted, without picture, on hold', async () => {
    const { anna, phone, laptop, callId } = await ringing()
    anna.send({ type: 'mute', target: 'bob', audio: true, video: false })
    phone.send({ type: 'video-answer', target: 'anna', sdp: answer })
    await anna.next('video-answer')
    anna.send({ type: 'mute', target: 'bob', audio: true, video: true })
    expect(await phone.next('mute')).toMatchObject({ callId, name: 'anna', audio: true, video: true })
    phone.send({ type: 'hold', target: null, held: true })
    expect(await anna.next('hold')).toMatchObject({ callId, name: 'bob', held: true })
    laptop.send({ type: 'hold', target: 'anna', held: false })
    await laptop.settled()
    expect(await anna.settled()).not.toContain('error')
    expect(anna.received.filter(({ type }) => type === 'hold')).toHaveLength(1)
    expect((await phone.settled()).filter((type) => type === 'mute')).toHaveLength(1)
  })
})
