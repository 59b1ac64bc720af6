import { expect, it } from 'vitest'
import { switchTrack } from '../src/media.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import { settle } from './fakes/timers.ts'

const asPeer = (peer: FakePeer) => peer as unknown as RTCPeerConnection

it('another camera takes the place of the first without a negotiation, and none leaves the line in place', async () => {
  const peer = new FakePeer({})
  const stream = fakeStream('audio', 'video')
  const [audio, first] = stream.tracks
  for (const track of stream.tracks) peer.addTrack(track)
  await settle()
  let negotiations = 0
  peer.onnegotiationneeded = () => negotiations++
  const [second] = fakeStream('video').tracks
  await switchTrack([asPeer(peer)], stream, 'video', second as never)
  expect(stream.tracks).toEqual([audio, second])
  expect([first?.stopped, second?.stopped]).toEqual([true, false])
  expect(peer.senders.map(({ sender }) => sender.track)).toEqual([audio, second])
  await switchTrack([asPeer(peer)], stream, 'video', undefined)
  expect(peer.senders.map(({ sender }) => sender.track)).toEqual([audio, null])
  await settle()
  expect(negotiations).toBe(0)
})

it('a screen in a call without a camera is negotiated', async () => {
  const peer = new FakePeer({})
  peer.addTransceiver('video')
  await settle()
  let negotiations = 0
  peer.onnegotiationneeded = () => negotiations++
  const stream = fakeStream()
  const [screen] = fakeStream('video').tracks
  await switchTrack([asPeer(peer)], stream, 'video', screen as never)
  await settle()
  expect(peer.senders[0]?.direction).toBe('sendrecv')
  expect(negotiations).toBe(1)
})
