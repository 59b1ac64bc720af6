import { describe, expect, it } from 'vitest'
import { startServer } from './support/server.ts'

const offer = { type: 'offer', sdp: 'v=0 offer' }
const answer = { type: 'answer', sdp: 'v=0 answer' }
const candidate = { candidate: 'candidate:1 1 udp 1 192.0.2.1 1 typ host', sdpMid: '0', sdpMLineIndex: 0 }

async function threeUsers(limits = {}) {
  const server = await startServer({ limits })
  return {
    server,
    alice: await server.join('alice'),
    bob: await server.join('bob'),
    carol: await server.join('carol'),
  }
}

/** Alice calls Bob, and Bob answers. */
async function aCall(limits = {}) {
  const all = await threeUsers(limits)
  all.alice.send({ type: 'video-offer', target: 'bob', sdp: offer })
  const { callId } = await all.bob.next('video-offer')
  all.bob.send({ type: 'video-answer', target: 'alice', sdp: answer })
  await all.alice.next('video-answer')
  return { ...all, callId }
}

describe('a text message', () => {
  it('goes to everyone with the true name and the date of the server', async () => {
    const { alice, bob, carol } = await threeUsers()
    alice.send({ type: 'message', text: 'hello', name: 'bob', id: 'forged', date: 1, seq: 99 })
    for (const client of [alice, bob, carol]) {
      const message = await client.next('message')
      expect(message).toMatchObject({ name: 'alice', text: 'hello' })
      expect(Math.abs(message.date - Date.now())).toBeLessThan(5000)
      expect(message).not.toHaveProperty('id')
    }
  })

  it('goes to its target and back to the sender only', async () => {
    const { alice, bob, carol } = await threeUsers()
    alice.send({ type: 'message', text: 'psst', target: 'bob' })
    expect(await bob.next('message')).toMatchObject({ name: 'alice', target: 'bob' })
    await alice.next('message')
    expect(await carol.settled()).not.toContain('message')
    alice.send({ type: 'message', text: 'psst', target: 'dave' })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_TARGET_UNKNOWN' })
  })

  it('carries nothing that a page could run, and loses nothing else', async () => {
    const { alice } = await threeUsers()
    alice.send({ type: 'message', text: '<img src=x onerror=alert(1) 1 < 2 <3 </b> <<b>i>' })
    expect((await alice.next('message')).text).toBe('‹img src=x onerror=alert(1) 1 < 2 <3 ‹/b> <‹b>i>')
  })
})

describe('a call', () => {
  it('passes offer, ringing, answer and candidates, stamped with the true names', async () => {
    const { alice, bob } = await threeUsers()
    alice.send({ type: 'video-offer', target: 'bob', name: 'carol', sdp: offer })
    const offered = await bob.next('video-offer')
    expect(offered).toMatchObject({ name: 'alice', target: 'bob', sdp: offer })
    const { callId } = offered
    expect(await alice.next('ringing')).toMatchObject({ name: 'bob', callId })
    alice.send({ type: 'new-ice-candidate', target: 'bob', candidate })
    bob.send({ type: 'new-ice-candidate', target: 'alice', candidate: null })
    expect(await alice.next('new-ice-candidate')).toMatchObject({ name: 'bob', candidate: null })
    bob.send({ type: 'video-answer', target: 'alice', name: 'carol', sdp: answer })
    expect(await alice.next('video-answer')).toMatchObject({ name: 'bob', target: 'alice', sdp: answer, callId })
    expect(await bob.next('new-ice-candidate')).toMatchObject({ name: 'alice', candidate, callId })
    alice.send({ type: 'new-ice-candidate', target: 'bob', candidate: null })
    expect(await bob.next('new-ice-candidate', (next) => next.candidate === null)).toMatchObject({ callId })
  })

  it('renegotiates in both directions', async () => {
    const { alice, bob, callId } = await aCall()
    bob.send({ type: 'video-offer', target: 'alice', sdp: offer })
    expect(await alice.next('video-offer')).toMatchObject({ name: 'bob', callId })
    alice.send({ type: 'video-answer', target: 'bob', sdp: answer })
    expect(await bob.next('video-answer')).toMatchObject({ name: 'alice', callId })
  })

  it('ends by a hang-up with a null target, told to the other side alone', async () => {
    const { server, alice, bob, carol, callId } = await aCall()
    alice.send({ type: 'hang-up', name: 'alice', target: null })
    expect(await bob.next('hang-up')).toMatchObject({ name: 'alice', target: 'bob', callId })
    expect(await bob.next('call-ended')).toMatchObject({ name: 'alice', reason: 'hang-up', callId })
    expect(await alice.next('call-ended')).toMatchObject({ name: 'bob', reason: 'hang-up', callId })
    expect(await alice.settled()).not.toContain('hang-up')
    expect(await carol.settled()).not.toContain('hang-up')
    expect(await server.metric('hairpin_calls_total{outcome="completed"}')).toBe(1)
    expect(await server.metric('hairpin_call_setup_seconds_count')).toBe(1)
  })

  it('is not ended by a null hang-up of somebody outside, nor by a late one with another target', async () => {
    const { alice, bob, carol } = await aCall()
    carol.send({ type: 'hang-up', target: null })
    carol.send({ type: 'hang-up', target: 'bob' })
    alice.send({ type: 'hang-up', target: 'carol' })
    alice.send({ type: 'hang-up', target: 'nobody' })
    await carol.settled()
    expect(await bob.settled()).not.toContain('hang-up')
    expect(await alice.settled()).not.toContain('call-ended')
  })

  it('is declined', async () => {
    const { alice, bob } = await threeUsers()
    alice.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await bob.next('video-offer')
    bob.send({ type: 'call-reject', target: 'alice' })
    expect(await alice.next('hang-up')).toMatchObject({ name: 'bob' })
    expect(await alice.next('call-ended')).toMatchObject({ name: 'bob', reason: 'rejected' })
    expect(await bob.next('call-ended')).toMatchObject({ name: 'alice', reason: 'rejected' })
  })

  it('is cancelled before the answer', async () => {
    const { alice, bob } = await threeUsers()
    alice.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await bob.next('video-offer')
    alice.send({ type: 'hang-up', target: 'bob' })
    expect(await bob.next('call-ended')).toMatchObject({ reason: 'cancelled' })
  })

  it('to a busy user ends without disturbing that one', async () => {
    const { alice, bob, carol } = await aCall()
    carol.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await carol.next('hang-up')).toMatchObject({ name: 'bob', target: 'carol' })
    expect(await carol.next('call-ended')).toMatchObject({ name: 'bob', reason: 'busy' })
    for (const client of [alice, bob]) {
      const after = (await client.settled()).slice(client.received.findIndex((m) => m.type.startsWith('video')) + 1)
      expect(after).not.toContain('video-offer')
      expect(after).not.toContain('call-ended')
    }
  })

  it('to nobody ends as offline', async () => {
    const { alice } = await threeUsers()
    alice.send({ type: 'video-offer', target: 'dave', sdp: offer })
    expect(await alice.next('call-ended')).toMatchObject({ name: 'dave', reason: 'offline' })
  })

  it('to oneself is refused', async () => {
    const { alice } = await threeUsers()
    alice.send({ type: 'video-offer', target: 'alice', sdp: offer })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_CALL_SELF' })
  })

  it('rings out', async () => {
    const { alice, bob } = await threeUsers({ ringMs: 60 })
    alice.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await alice.next('call-ended')).toMatchObject({ reason: 'no-answer' })
    expect(await bob.next('hang-up')).toMatchObject({ name: 'alice' })
    expect(await bob.next('call-ended')).toMatchObject({ reason: 'no-answer' })
  })

  it('ends for the other side when one is gone, ringing or connected', async () => {
    const { server, alice, bob, carol } = await aCall()
    bob.socket.terminate()
    expect(await alice.next('hang-up')).toMatchObject({ name: 'bob' })
    expect(await alice.next('call-ended')).toMatchObject({ name: 'bob', reason: 'disconnected' })
    alice.send({ type: 'video-offer', target: 'carol', sdp: offer })
    await carol.next('video-offer')
    alice.socket.terminate()
    expect(await carol.next('call-ended')).toMatchObject({ name: 'alice', reason: 'disconnected' })
    expect(await server.metric('hairpin_calls_total{outcome="dropped"}')).toBe(1)
    expect(await server.metric('hairpin_calls_total{outcome="abandoned"}')).toBe(1)
    expect(await server.metric('hairpin_calls{state="connected"}')).toBe(0)
  })

  it('that both start at once is the one whose offer came first', async () => {
    const { alice, bob } = await threeUsers()
    alice.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await bob.next('video-offer')
    bob.send({ type: 'video-offer', target: 'alice', sdp: offer })
    expect(await bob.next('error')).toMatchObject({ code: 'SIG_GLARE' })
    expect(await alice.settled()).not.toContain('video-offer')
  })

  it('cannot be entered by a third user', async () => {
    const { alice, bob, carol } = await aCall()
    carol.send({ type: 'new-ice-candidate', target: 'bob', name: 'alice', candidate })
    carol.send({ type: 'video-answer', target: 'bob', name: 'alice', sdp: answer })
    carol.send({ type: 'call-reject', target: 'alice' })
    expect(await carol.next('error')).toMatchObject({ code: 'SIG_NO_CALL', about: 'video-answer' })
    expect(await carol.next('error')).toMatchObject({ code: 'SIG_NO_CALL', about: 'call-reject' })
    expect(await bob.settled()).not.toContain('new-ice-candidate')
    expect(await bob.settled()).not.toContain('video-answer')
    expect(await alice.settled()).not.toContain('call-ended')
  })

  it('keeps the names of its parties', async () => {
    const { alice } = await aCall()
    alice.send({ type: 'username', name: 'mallory' })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_IN_CALL' })
  })
})

describe('a message of a type that the server does not know', () => {
  it('passes to its target with the true name', async () => {
    const { alice, bob, carol } = await threeUsers()
    alice.send({ type: 'x-mute', target: 'bob', name: 'carol', id: 'forged', seq: 77, muted: true })
    const got = await bob.next('x-mute' as never)
    expect(got).toMatchObject({ type: 'x-mute', name: 'alice', target: 'bob', muted: true })
    expect((got as { seq: number }).seq).toBeLessThan(10)
    expect(got).not.toHaveProperty('id')
    expect(await carol.settled()).not.toContain('x-mute')
  })

  it('without a target goes nowhere', async () => {
    const { alice, bob } = await threeUsers()
    alice.send({ type: 'x-mute', muted: true })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_TARGET_REQUIRED' })
    expect(await bob.settled()).not.toContain('x-mute')
  })

  it.each(['userlist', 'call-ended', 'id', 'error', 'bye', 'ringing', 'rejectusername', 'answered-elsewhere'])(
    'cannot be one of the server’s own: %s',
    async (type) => {
      const { alice, bob } = await threeUsers()
      const before = bob.received.length
      alice.send({ type, target: 'bob', users: [], name: 'bob', reason: 'busy' })
      expect(await alice.next('error', ({ code }) => code === 'SIG_TYPE_RESERVED')).toMatchObject({ about: type })
      const after = (await bob.settled()).slice(before)
      expect(after.filter((received) => received !== 'userlist' || type === 'userlist')).toEqual(['ice-servers'])
    },
  )
})
