import { HairpinClient, type HairpinClientOptions } from '../../src/client.ts'
import { FakePeer } from './peer.ts'
import { FakeServer } from './socket.ts'
import { FakeTimers } from './timers.ts'

/** A client that has not joined yet, at a server that goes nowhere and on a clock that stands still. */
export function fakeClient(options: Partial<HairpinClientOptions> = {}) {
  FakePeer.made = []
  const timers = new FakeTimers()
  const server = new FakeServer()
  const { createSocket } = server
  const client = new HairpinClient({
    url: 'ws://test/ws',
    createSocket,
    createPeer: FakePeer.create,
    timers,
    ...options,
  })
  return { client, server, timers }
}
