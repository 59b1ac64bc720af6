import { beforeEach, describe, expect, it } from 'vitest'
import { Call } from '../src/call.ts'
import type { CallSignal } from '../src/call-options.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import { FakeTimers, settle } from './fakes/timers.ts'

const offer = { type: 'offer' as const, sdp: 'their-offer' }
const answer = { type: 'answer' as const, sdp: 'their-answer' }
const candidate = (name: string) => ({ candidate: name, sdpMid: '0', sdpMLineIndex: 0 })

function make(direction: 'outgoing' | 'incoming', timers: FakeTimers, relayOnly = false) {
  const signals: CallSignal[] = []
  const call = new Call({
    peer: 'bob',
    direction,
    relayOnly,
    iceServers: () => [{ urls: ['turn:relay.test'] }],
    createPeer: FakePeer.create,
    timers,
  })
  call.on('signal', (signal) => signals.push(signal))
  return { call, signals, types: () => signals.map((signal) => signal.type) }
}

describe('Call', () => {
  let timers: FakeTimers

  beforeEach(() => {
    timers = new FakeTimers()
    FakePeer.made = []
  })

  async function connected(direction: 'outgoing' | 'incoming' = 'outgoing') {
    const made = make(direction, timers)
    if (direction === 'outgoing') {
      made.call.start(fakeStream('audio', 'video'))
      await settle()
      await made.call.handleAnswer(answer)
    } else {
      await made.call.handleOffer(offer)
      await made.call.accept(fakeStream('audio', 'video'))
    }
    FakePeer.last.connection('connected')
    return { ...made, peer: FakePeer.last }
  }

  it('goes from calling over ringing and connecting to connected', async () => {
    const { call, signals, types } = make('outgoing', timers)
    const states: string[] = [call.state]
    call.on('state', (state) => states.push(state))
    call.start(fakeStream('audio', 'video'))
    await settle()
    call.handleRinging()
    await call.handleAnswer(answer)
    FakePeer.last.connection('connected')
    expect(states).toEqual(['calling', 'ringing', 'connecting', 'connected'])
    expect(types()).toEqual(['video-offer'])
    expect(signals[0]).toMatchObject({ media: 'video' })
    call.restartIce()
    await settle()
    expect(signals[1]).not.toHaveProperty('media')
    call.hangUp()
    expect(timers.pending).toBe(0)
  })

  it('sends its candidates after the description they belong to', async () => {
    const { call, types } = make('outgoing', timers)
    call.start(fakeStream('audio'))
    FakePeer.last.onnegotiationneeded?.()
    FakePeer.last.gather('early')
    await settle()
    FakePeer.last.gather('late')
    FakePeer.last.onicecandidate?.({ candidate: null })
    expect(types()[0]).toBe('video-offer')
    expect(types().filter((type) => type === 'new-ice-candidate')).toHaveLength(2)
  })

  it('keeps candidates that come before the call is accepted, and loses none to a bad one', async () => {
    const { call, types } = make('incoming', timers)
    await call.handleOffer(offer)
    for (const name of ['one', 'stale', 'two']) await call.handleCandidate(candidate(name))
    await call.accept(fakeStream('audio', 'video'))
    expect(FakePeer.last.candidates.map((entry) => entry.candidate)).toEqual(['one', 'two'])
    expect(FakePeer.last.tracks).toHaveLength(2)
    expect(types()).toEqual(['video-answer'])
  })

  it('receives what it cannot send', async () => {
    const { call } = make('outgoing', timers)
    call.start()
    expect(FakePeer.last.transceivers).toEqual(['audio', 'video'])
    const other = make('outgoing', timers)
    other.call.start(fakeStream('audio'))
    expect(FakePeer.last.transceivers).toEqual(['video'])
    await settle()
    expect(other.signals[0]).toMatchObject({ type: 'video-offer', media: 'audio' })
  })

  it.each([
    ['video', 'sendrecv', true],
    ['video', 'recvonly', false],
    ['audio', 'sendrecv', false],
  ])('tells whether the caller sends a picture: %s %s', async (kind, direction, expected) => {
    const { call } = make('incoming', timers)
    const sections = `v=0\r\nm=audio 9 UDP 0\r\na=sendrecv\r\nm=${kind} 9 UDP 0\r\na=${direction}\r\n`
    await call.handleOffer({ type: 'offer', sdp: sections })
    expect(call.offersVideo).toBe(expected)
  })

  it('is done with an answer when the call ends under it, though the engine never is', async () => {
    const { call } = make('incoming', timers)
    await call.handleOffer(offer)
    const accepted = call.accept(fakeStream('audio'))
    FakePeer.last.setRemoteDescription = () => new Promise(() => undefined)
    const again = call.handleOffer({ type: 'offer', sdp: 'second' })
    await settle()
    call.handleEnded('answered-elsewhere')
    await Promise.all([accepted, again])
    expect(call.end?.reason).toBe('answered-elsewhere')
  })

  it('declines without opening a peer connection', async () => {
    const { call, signals } = make('incoming', timers)
    await call.handleOffer(offer)
    call.decline()
    expect(FakePeer.made).toHaveLength(0)
    expect(signals).toEqual([{ type: 'call-reject', target: 'bob' }])
    expect(call.end).toEqual({ reason: 'rejected', by: 'local' })
  })

  it('stops the camera and closes the connection at its end, once', async () => {
    const stream = fakeStream('audio', 'video')
    const { call, types } = make('outgoing', timers)
    call.start(stream)
    await settle()
    call.hangUp()
    call.hangUp()
    call.handleEnded('hang-up')
    expect(stream.tracks.every((track) => track.stopped)).toBe(true)
    expect(FakePeer.last.closed).toBe(true)
    expect(types()).toEqual(['video-offer', 'hang-up'])
    expect(call.end).toEqual({ reason: 'cancelled', by: 'local' })
    expect(timers.pending).toBe(0)
  })

  it('mutes and hides what is sent, before the call and in it', async () => {
    const stream = fakeStream('audio', 'video')
    const { call } = make('outgoing', timers)
    call.setMuted(true)
    call.start(stream)
    expect(stream.tracks.map((track) => track.enabled)).toEqual([false, true])
    call.setMuted(false)
    call.setCameraOff(true)
    expect(stream.tracks.map((track) => track.enabled)).toEqual([true, false])
  })

  it('tells the other side what it does not send, once it can hear of it and at each change', async () => {
    const { call, signals } = make('outgoing', timers)
    const mutes = () => signals.filter((signal) => signal.type === 'mute')
    call.start(fakeStream('audio'))
    call.setMuted(true)
    await settle()
    await call.handleAnswer(answer)
    expect(mutes()).toEqual([])
    FakePeer.last.connection('connected')
    expect(mutes()).toEqual([{ type: 'mute', target: null, audio: true, video: true }])
    call.setMuted(true)
    FakePeer.last.connection('disconnected')
    FakePeer.last.connection('connected')
    expect(mutes()).toHaveLength(1)
    call.setMuted(false)
    expect(mutes().at(-1)).toEqual({ type: 'mute', target: null, audio: false, video: true })
    const plain = await connected()
    expect(plain.types()).toEqual(['video-offer'])
    plain.call.hangUp()
    plain.call.setMuted(true)
    expect(plain.types()).toEqual(['video-offer', 'hang-up'])
  })

  it('gathers relay candidates alone when asked', () => {
    make('outgoing', timers, true).call.start()
    expect(FakePeer.last.configuration.iceTransportPolicy).toBe('relay')
    make('outgoing', timers).call.start()
    expect(FakePeer.last.configuration.iceTransportPolicy).toBe('all')
  })

  it('answers a renegotiation in the running call', async () => {
    const { call, types } = await connected('incoming')
    await call.handleOffer({ type: 'offer', sdp: 'second' })
    expect(types()).toEqual(['video-answer', 'video-answer'])
    expect(call.state).toBe('connected')
  })

  it('keeps its own offer when the caller’s and callee’s cross, and the callee gives way', async () => {
    const caller = await connected('outgoing')
    caller.call.restartIce()
    await settle()
    await caller.call.handleOffer({ type: 'offer', sdp: 'crossing' })
    expect(caller.peer.signalingState).toBe('have-local-offer')

    const callee = await connected('incoming')
    callee.call.restartIce()
    await settle()
    await callee.call.handleOffer({ type: 'offer', sdp: 'crossing' })
    expect(callee.types().at(-1)).toBe('video-answer')
    expect(callee.peer.signalingState).toBe('stable')
  })

  it('becomes the called side when both call at once and the other was first', async () => {
    const stream = fakeStream('audio', 'video')
    const { call, types } = make('outgoing', timers)
    call.start(stream)
    await settle()
    const [first] = FakePeer.made
    const answered = call.handleOffer(offer)
    await call.handleCandidate(candidate('theirs'))
    await answered
    expect(types()).toEqual(['video-offer', 'video-answer'])
    expect(call.state).toBe('connecting')
    expect(first?.closed).toBe(true)
    expect(FakePeer.last.tracks).toEqual(stream.tracks)
    expect(FakePeer.last.candidates).toHaveLength(1)
    expect(stream.tracks.some((track) => track.stopped)).toBe(false)
  })

  it('looks for a new path when packets stop, and ends when none comes', async () => {
    const { call, peer } = await connected()
    peer.connection('disconnected')
    expect(call.state).toBe('reconnecting')
    timers.advance(2_500)
    expect(peer.restarts).toBe(1)
    peer.connection('connected')
    expect(call.state).toBe('connected')
    peer.connection('failed')
    timers.advance(30_000)
    expect(call.end?.reason).toBe('connection-lost')
  })

  it('says when no path was found', async () => {
    const { call } = make('outgoing', timers)
    call.start()
    await settle()
    await call.handleAnswer(answer)
    FakePeer.last.connection('failed')
    expect(call.end).toEqual({ reason: 'connect-failed', by: 'local' })
  })

  it('ends when a description cannot be used', async () => {
    const { call, signals } = make('outgoing', timers)
    call.start()
    await settle()
    FakePeer.last.failOn = answer.sdp
    await call.handleAnswer(answer)
    expect(call.end?.reason).toBe('negotiation-failed')
    expect(signals.at(-1)?.type).toBe('hang-up')
  })

  it('lets media run on without its signaling session, silently, and ends with its path', async () => {
    const { call, peer, signals } = await connected()
    call.handleSignalingLost()
    expect(call.state).toBe('connected')
    peer.connection('failed')
    expect(call.end?.reason).toBe('connection-lost')
    expect(signals).toHaveLength(1)

    const ringing = make('incoming', timers)
    await ringing.call.handleOffer(offer)
    ringing.call.handleSignalingLost()
    expect(ringing.call.end?.reason).toBe('connection-lost')
  })
})
