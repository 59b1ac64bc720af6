import type { ServerBody } from '@hairpin/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AgentCall } from '../src/agent-call.ts'
import { AgentDesk, type AgentRefusal } from '../src/agent-desk.ts'
import { HairpinClient } from '../src/client.ts'
import { FakeAgentPeer } from './fakes/agent-peer.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import { FakeServer } from './fakes/socket.ts'
import { FakeTimers, settle } from './fakes/timers.ts'

type Body<T extends ServerBody['type']> = Omit<Extract<ServerBody, { type: T }>, 'type'>

describe('a desk of customers’ calls', () => {
  let timers: FakeTimers
  let server: FakeServer
  let client: HairpinClient
  let desk: AgentDesk
  let refusals: AgentRefusal[]

  beforeEach(() => {
    FakePeer.made = []
    FakeAgentPeer.hold = false
    timers = new FakeTimers()
    server = new FakeServer()
    refusals = []
    ;[client, desk] = page()
    desk.setAvailable(true)
    client.join('agent')
    server.admit(undefined, 30)
    agents()
  })

  function page(): [HairpinClient, AgentDesk] {
    const made = new HairpinClient({
      url: 'ws://test/ws',
      createSocket: server.createSocket,
      createPeer: FakeAgentPeer.create,
      reconnect: () => 1000,
      timers,
      store: null,
      relayOnly: true,
    })
    const itsDesk = new AgentDesk(made, { timers })
    itsDesk.on('error', (error) => refusals.push(error))
    return [made, itsDesk]
  }

  const agents = (mode: 'bridge' | 'direct' = 'bridge') =>
    server.last.receive({ type: 'agent', available: true, mode, agents: [{ name: 'agent', free: true }] })
  const rings = (callId: string, rest: Partial<Body<'call-is-coming'>> = {}) =>
    server.last.receive({ type: 'call-is-coming', callId, callerName: 'Carla', callerNumber: '491701', ...rest })
  const state = (callId: string, rest: Partial<Body<'call-state'>>) =>
    server.last.receive({
      type: 'call-state',
      callId,
      state: 'connected',
      direction: 'user',
      held: false,
      resumed: false,
      ...rest,
    })
  const answer = (callId: string, sdp = 'their-answer') => server.last.receive({ type: 'browser-answer', callId, sdp })
  const ended = (callId: string, rest: Partial<Body<'call-ended'>> = {}) =>
    server.last.receive({ type: 'call-ended', callId, name: 'Carla', reason: 'customer-hung-up', ...rest })
  const error = (code: string, about: string, callId?: string) =>
    server.last.receive({ type: 'error', code, message: `${code}!`, about, ...(callId ? { callId } : {}) })
  /** Messages of agents that went out. */
  const sent = () => server.last.sent.filter(({ type }) => !['username', 'ice-servers', 'ack'].includes(type))
  const offers = () => sent().filter(({ type }) => type === 'browser-offer')

  async function talking(callId = 'c1', stream = fakeStream('audio')): Promise<AgentCall> {
    rings(callId)
    const call = desk.ringing[0] as AgentCall
    void call.take(stream)
    await settle()
    answer(callId)
    await settle()
    FakePeer.last.connection('connected')
    state(callId, { answeredAt: 5000 })
    return call
  }

  /** The server knows the session no more, and another one begins. */
  async function another(): Promise<void> {
    server.last.drop()
    timers.advance(1_000)
    server.last.receive({ type: 'id', id: 's2' })
    server.last.receive({ type: 'error', code: 'SIG_RESUME_UNKNOWN', message: '', about: 'resume' })
    server.admit(undefined, 30)
    await settle()
  }

  it('rings several calls, takes one over a relayed peer connection, and says connected when the server does', async () => {
    const incoming: AgentCall[] = []
    desk.on('incoming', (call) => incoming.push(call))
    rings('c1')
    rings('c2', { transferredBy: 'bea' })
    rings('c1')
    expect(incoming.map(({ id, caller, transferredBy }) => [id, caller, transferredBy])).toEqual([
      ['c1', { name: 'Carla', number: '491701' }, undefined],
      ['c2', { name: 'Carla', number: '491701' }, 'bea'],
    ])
    const [call, other] = incoming
    const states: string[] = []
    call?.on('state', (now) => states.push(now))
    void call?.take(fakeStream('audio'))
    await settle()
    expect(desk.current).toBe(call)
    expect(desk.ringing).toEqual([other])
    expect(FakePeer.last.configuration.iceTransportPolicy).toBe('relay')
    expect(sent().at(-1)).toEqual({ type: 'browser-offer', callId: 'c1', sdp: 'offer-1' })
    await expect(other?.take()).rejects.toThrow('Hang up first')
    server.last.receive({ type: 'ring-stopped', callId: 'c2' })
    expect(other?.end).toEqual({ reason: 'ring-stopped', by: 'remote' })
    answer('c1')
    await settle()
    expect(FakePeer.last.remoteDescription).toEqual({ type: 'answer', sdp: 'their-answer' })
    FakePeer.last.connection('connected')
    expect([call?.state, call?.media]).toEqual(['taking', 'connected'])
    state('c1', { answeredAt: 5000 })
    expect(call?.answeredAt).toBe(5000)
    expect(states).toEqual(['taking', 'connected'])
  })

  it('offers when all candidates are there, or after two seconds with those that are', async () => {
    FakeAgentPeer.hold = true
    rings('c1')
    void desk.ringing[0]?.take()
    await settle()
    FakeAgentPeer.newest.gathered('host')
    expect(offers()).toEqual([])
    timers.advance(2_000)
    await settle()
    expect(offers()).toMatchObject([{ sdp: expect.stringContaining('a=candidate:host') }])
    expect(FakePeer.last.transceivers).toEqual(['audio'])

    ended('c1')
    rings('c2')
    void desk.ringing[0]?.take()
    await settle()
    timers.advance(3_000)
    await settle()
    expect(offers()).toHaveLength(1)
    FakeAgentPeer.newest.gathered('relay')
    await settle()
    expect(offers()).toHaveLength(2)
  })

  it('declines, is told who else took it, and is told why it ended', async () => {
    rings('c1')
    rings('c2')
    rings('c3')
    const [first, second, third] = desk.ringing
    first?.decline()
    expect(sent().at(-1)).toEqual({ type: 'call-decline', callId: 'c1' })
    server.last.receive({ type: 'answered-elsewhere', callId: 'c2', name: 'Carla' })
    ended('c3', { reason: 'failed', cause: 'setup-failed', text: 'The call could not be set up.' })
    expect(desk.ringing).toEqual([])
    expect([first?.end, second?.end, third?.end]).toEqual([
      { reason: 'declined', by: 'local' },
      { reason: 'answered-elsewhere', by: 'remote' },
      { reason: 'failed', cause: 'setup-failed', text: 'The call could not be set up.', by: 'remote' },
    ])
  })

  it('is not brought back to a call that it has left by what was said before', async () => {
    const call = await talking()
    rings('c2')
    desk.ringing[0]?.decline()
    call.hangUp()
    state('c1', { resumed: true })
    rings('c2')
    expect([desk.current, desk.ringing]).toEqual([undefined, []])
    rings('c2', { transferredBy: 'bea' })
    expect(desk.ringing).toHaveLength(1)
  })

  it('loses the race for a call without a sound left open', async () => {
    const stream = fakeStream('audio')
    rings('c1')
    const [call] = desk.ringing
    void call?.take(stream)
    await settle()
    server.last.receive({ type: 'answered-elsewhere', callId: 'c1', name: 'Carla' })
    expect(call?.end?.reason).toBe('answered-elsewhere')
    expect(stream.tracks[0]?.stopped).toBe(true)
    expect(FakePeer.last.closed).toBe(true)
    expect(desk.current).toBeUndefined()
    expect(sent().at(-1)?.type).toBe('browser-offer')
  })

  it('holds, mutes, sends digits one after the other and hangs up, once', async () => {
    const stream = fakeStream('audio')
    const call = await talking('c1', stream)
    call.setMuted(true)
    expect(stream.tracks[0]?.enabled).toBe(false)
    call.setMuted(false)
    call.setHeld(true)
    expect(stream.tracks[0]?.enabled).toBe(false)
    expect(sent().at(-1)).toEqual({ type: 'call-hold', callId: 'c1', held: true })
    error('SIG_NO_CALL', 'call-hold', 'c1')
    expect([call.held, stream.tracks[0]?.enabled]).toEqual([false, true])
    expect([call.dtmf('1'), call.dtmf('#2'), call.dtmf('x')]).toEqual([true, true, false])
    expect(FakeAgentPeer.newest.dtmf.toneBuffer).toBe('1#2')
    call.hangUp()
    call.hangUp()
    ended('c1', { reason: 'agent-hung-up' })
    expect(sent().filter(({ type }) => type === 'call-over')).toEqual([{ type: 'call-over', callId: 'c1' }])
    expect(call.end).toEqual({ reason: 'agent-hung-up', by: 'local' })
    expect([stream.tracks[0]?.stopped, FakePeer.last.closed, call.dtmf('1')]).toEqual([true, true, false])
  })

  it('hands over: declined it stays, taken back it stays, taken it is gone', async () => {
    const call = await talking()
    const declined: string[] = []
    call.on('transfer-declined', () => declined.push('declined'))
    call.transfer('bea')
    expect(call.transferringTo).toBe('bea')
    server.last.receive({ type: 'transfer-declined', callId: 'c1' })
    expect([call.transferringTo, declined]).toEqual([undefined, ['declined']])
    call.transfer('bea')
    error('SIG_AGENT_BUSY', 'call-transfer', 'c1')
    expect([call.transferringTo, refusals.at(-1)?.code]).toEqual([undefined, 'SIG_AGENT_BUSY'])
    call.transfer('bea')
    call.keep()
    expect(sent().map(({ type }) => type)).toEqual([
      'agent',
      'browser-offer',
      'call-transfer',
      'call-transfer',
      'call-transfer',
      'call-keep',
    ])
    call.transfer('bea')
    server.last.receive({ type: 'call-transferred', callId: 'c1' })
    expect(call.end).toEqual({ reason: 'transferred', by: 'remote' })
    rings('c1', { transferredBy: 'bea' })
    expect(desk.ringing).toHaveLength(1)
  })

  it('calls a customer: offers when the call has a name, and says answered when WhatsApp does', async () => {
    const call = desk.dial('+49 170-1', fakeStream('audio'))
    const states = [call.state]
    call.on('state', (now) => states.push(now))
    expect(sent().at(-1)).toEqual({ type: 'call-dial', number: '+49 170-1' })
    expect(FakePeer.made).toHaveLength(0)
    expect(() => desk.dial('49171')).toThrow('Hang up first')
    state('b1', { state: 'calling', direction: 'business' })
    await settle()
    expect(offers()).toMatchObject([{ callId: 'b1' }])
    answer('b1')
    await settle()
    FakePeer.last.connection('connected')
    state('b1', { state: 'ringing', direction: 'business' })
    expect([call.state, call.answeredAt]).toEqual(['ringing', undefined])
    state('b1', { state: 'answered', direction: 'business', answeredAt: 7000 })
    expect(states).toEqual(['calling', 'ringing', 'answered'])
    expect([call.answeredAt, call.caller]).toEqual([7000, { number: '491701' }])
    ended('b1')
    expect(call.end).toEqual({ reason: 'customer-hung-up', by: 'remote' })
  })

  it('gives up a call that has no name yet as soon as it has one, and not the next call', async () => {
    const first = desk.dial('49170')
    first.hangUp()
    const refused = desk.dial('49171')
    state('b1', { state: 'calling', direction: 'business' })
    expect(sent().at(-1)).toEqual({ type: 'call-over', callId: 'b1' })
    error('SIG_CALL_REFUSED', 'call-dial')
    expect(refused.end).toEqual({
      reason: 'refused',
      by: 'remote',
      code: 'SIG_CALL_REFUSED',
      text: 'SIG_CALL_REFUSED!',
    })
    const second = desk.dial('49172')
    state('b2', { state: 'calling', direction: 'business' })
    expect([second.id, second.state]).toEqual(['b2', 'calling'])
    // Another device of this agent makes a call of its own.
    state('b3', { state: 'calling', direction: 'business' })
    expect(second.id).toBe('b2')
  })

  it('asks about the permission to call, by number', async () => {
    const news: string[] = []
    desk.on('permission', ({ number, event }) => news.push(`${number} ${event ?? ''}`))
    const asked = desk.permission('+49 170')
    const requested = desk.requestPermission('49171')
    expect(sent().slice(-2)).toEqual([
      { type: 'call-permission', number: '+49 170' },
      { type: 'call-permission', number: '49171', request: true },
    ])
    server.last.receive({ type: 'call-permission', number: '49170', status: 'temporary', mayCall: true, expiresAt: 9 })
    error('SIG_CALL_REFUSED', 'call-permission')
    server.last.receive({ type: 'call-permission', number: '49172', status: 'none', mayCall: false, event: 'rejected' })
    expect(await asked).toEqual({ number: '49170', status: 'temporary', mayCall: true, expiresAt: 9 })
    await expect(requested).rejects.toMatchObject({ code: 'SIG_CALL_REFUSED', message: 'SIG_CALL_REFUSED!' })
    expect(news).toEqual(['49170 ', '49172 rejected'])
    const unanswered = desk.permission('49173')
    client.leave()
    await expect(unanswered).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
  })

  describe('when the path is lost', () => {
    it('connects anew once, and again after the next loss', async () => {
      const call = await talking()
      for (const made of [2, 3]) {
        FakePeer.last.connection('failed')
        await settle()
        expect([FakePeer.made.length, call.media, call.state]).toEqual([made, 'lost', 'connected'])
        expect(FakePeer.made.at(-2)?.closed).toBe(true)
        answer('c1', `answer-${made}`)
        await settle()
        expect(FakePeer.last.remoteDescription?.sdp).toBe(`answer-${made}`)
        FakePeer.last.connection('connected')
        expect(call.media).toBe('connected')
      }
      FakePeer.last.connection('disconnected')
      timers.advance(2_000)
      FakePeer.last.connection('connected')
      timers.advance(2_000)
      expect(FakePeer.made).toHaveLength(3)
      FakePeer.last.connection('disconnected')
      timers.advance(2_500)
      expect(FakePeer.made).toHaveLength(4)
    })

    it('hangs up when the second try finds no path either', async () => {
      rings('c1')
      const [call] = desk.ringing
      void call?.take(fakeStream('audio'))
      await settle()
      answer('c1')
      await settle()
      timers.advance(15_000)
      await settle()
      expect(offers()).toHaveLength(2)
      answer('c1', 'second')
      await settle()
      expect(FakePeer.last.remoteDescription?.sdp).toBe('second')
      timers.advance(15_000)
      expect(call?.end).toEqual({ reason: 'connect-failed', by: 'local' })
      expect(sent().at(-1)).toEqual({ type: 'call-over', callId: 'c1' })
      client.leave()
      expect(timers.pending).toBe(0)
    })

    it('hangs up when the service does not answer its offer', async () => {
      rings('c1')
      const [call] = desk.ringing
      void call?.take()
      await settle()
      timers.advance(15_000)
      expect([call?.end?.reason, offers().length]).toEqual(['connect-failed', 1])
    })

    it('waits half a minute for the server, and no longer', async () => {
      const call = await talking()
      server.last.drop()
      FakePeer.last.connection('failed')
      timers.advance(29_000)
      expect(call.media).toBe('lost')
      timers.advance(1_000)
      expect(call.end).toEqual({ reason: 'connection-lost', by: 'local' })
    })

    it('offers once more when the session was lost with the first offer', async () => {
      rings('c1')
      const [call] = desk.ringing
      void call?.take()
      await settle()
      await another()
      expect(server.last.types().slice(-2)).toEqual(['agent', 'browser-offer'])
      answer('c1')
      await settle()
      FakePeer.last.connection('connected')
      expect([call?.media, FakePeer.made.length]).toEqual(['connected', 2])
    })

    it('waits for the server, and offers when it is back', async () => {
      const call = await talking()
      server.last.drop()
      FakePeer.last.connection('failed')
      expect([call.media, FakePeer.made.length]).toEqual(['lost', 1])
      timers.advance(1_000)
      server.last.receive({ type: 'id', id: 's2' })
      server.last.resumed(20, 100)
      await settle()
      expect(server.last.types()).toEqual(['resume', 'browser-offer'])
      answer('c1')
      await settle()
      FakePeer.last.connection('connected')
      expect(call.media).toBe('connected')
    })
  })

  describe('when the session is lost', () => {
    it('is available again, lets go of what rang, and keeps the call over the path that stands', async () => {
      const call = await talking()
      rings('c2')
      const [waiting] = desk.ringing
      await another()
      expect(waiting?.end?.reason).toBe('connection-lost')
      expect(sent().at(-1)).toEqual({ type: 'agent', available: true })
      agents()
      state('c1', { resumed: true, answeredAt: 5000 })
      timers.advance(20_000)
      expect([call.state, call.media, FakePeer.made.length]).toEqual(['connected', 'connected', 1])
    })

    it('is over with a call that the server does not know any more', async () => {
      const call = await talking()
      await another()
      agents()
      timers.advance(10_000)
      expect(call.end).toEqual({ reason: 'connection-lost', by: 'local' })
    })

    it('repeats nothing when it was resumed', async () => {
      await talking()
      server.last.drop()
      timers.advance(1_000)
      server.last.receive({ type: 'id', id: 's2' })
      server.last.resumed(20, 100)
      expect(server.last.types()).toEqual(['resume'])
    })
  })

  it('goes on with the call of the page before over a fresh peer connection', async () => {
    const restored: AgentCall[] = []
    desk.on('restored', (call) => restored.push(call))
    state('c1', { resumed: true, held: true, answeredAt: 5000, callerName: 'Carla' })
    const [call] = restored
    expect(call).toMatchObject({
      id: 'c1',
      state: 'connected',
      held: true,
      answeredAt: 5000,
      caller: { name: 'Carla' },
    })
    const stream = fakeStream('audio')
    void call?.rejoin(stream)
    await settle()
    expect(stream.tracks[0]?.enabled).toBe(false)
    expect(offers()).toMatchObject([{ callId: 'c1' }])
    answer('c1')
    await settle()
    FakePeer.last.connection('connected')
    expect(call?.media).toBe('connected')
  })

  it('stays available until the end of its call, and then no more', async () => {
    const call = await talking()
    desk.setAvailable(false)
    expect(sent().filter(({ type }) => type === 'agent')).toHaveLength(1)
    call.hangUp()
    expect(sent().at(-1)).toEqual({ type: 'agent', available: false })
  })

  it('stays available where the server says that it has to, as for a call on another device', () => {
    desk.setAvailable(false)
    expect(desk.wanted).toBe(false)
    error('SIG_IN_CALL', 'agent')
    expect([desk.wanted, desk.available]).toEqual([true, true])
  })

  it('waits for a service that is away, and for what it says of the call when it is back', async () => {
    const call = await talking()
    rings('c2')
    const [waiting] = desk.ringing
    error('SIG_DESK_UNAVAILABLE', 'agent')
    expect([desk.wanted, desk.available, waiting?.end?.reason]).toEqual([true, false, 'connection-lost'])
    agents()
    expect([desk.available, call.state]).toEqual([true, 'connected'])
    timers.advance(10_000)
    expect(call.end?.reason).toBe('connection-lost')
  })

  it.each(['SIG_NO_DESK', 'SIG_AGENT_FORBIDDEN'])('is not available where the server says %s', (code) => {
    error(code, 'agent')
    expect([desk.wanted, desk.available, refusals[0]?.code]).toEqual([false, false, code])
  })

  it('ends with the connection for good', async () => {
    const call = await talking()
    rings('c2')
    client.leave()
    expect([call.end?.reason, desk.ringing, desk.current, desk.available]).toEqual([
      'connection-lost',
      [],
      undefined,
      false,
    ])
    expect(timers.pending).toBe(0)
  })

  describe('in direct mode', () => {
    beforeEach(() => agents('direct'))

    it('answers the customer’s own offer', async () => {
      rings('c1', { sdp: 'their-offer' })
      const [call] = desk.ringing
      void call?.take(fakeStream('audio'))
      await settle()
      expect(FakePeer.last.remoteDescription).toEqual({ type: 'offer', sdp: 'their-offer' })
      expect(FakePeer.last.tracks).toHaveLength(1)
      expect(sent().at(-1)).toEqual({ type: 'browser-answer', callId: 'c1', sdp: 'answer' })
      FakePeer.last.connection('connected')
      call?.setHeld(true)
      expect(sent().at(-1)?.type).toBe('browser-answer')
      FakePeer.last.connection('failed')
      expect(call?.end?.reason).toBe('connection-lost')
      expect(FakePeer.made).toHaveLength(1)
    })

    it('calls with an offer, which the customer’s phone answers', async () => {
      const call = desk.dial('49170', fakeStream('audio'))
      await settle()
      expect(sent().at(-1)).toEqual({ type: 'call-dial', number: '49170', sdp: 'offer-1' })
      state('b1', { state: 'calling', direction: 'business' })
      timers.advance(30_000)
      answer('b1')
      answer('b1')
      await settle()
      expect(FakePeer.made).toHaveLength(1)
      FakePeer.last.connection('connected')
      expect([call.id, call.media]).toEqual(['b1', 'connected'])
    })

    it('cannot go on with a call of the page before', async () => {
      state('c1', { resumed: true })
      void desk.current?.rejoin()
      expect(sent().at(-1)).toEqual({ type: 'call-over', callId: 'c1' })
      expect(desk.current).toBeUndefined()
    })
  })
})
