/** Send indications: RFC 8656 section 11.2. They have no answer: what is wrong is dropped and counted. */
import { Attribute, decodeXorAddress, type Message } from '@hairpin/stun'
import { completeMove } from '../mobility.ts'
import type { ServerState } from '../state.ts'
import type { Endpoint, Listener } from '../types.ts'

export function handleSend(state: ServerState, message: Message, listener: Listener, from: Endpoint, now: number) {
  // 1. The five-tuple has an allocation, and one that relays datagrams.
  const allocation = state.allocations.find(listener, from.address, from.port)
  if (allocation?.state !== 'live' || allocation.relayTransport === 'tcp') return state.ignore('no-allocation')
  if (allocation.isNext(listener, from.address, from.port)) completeMove(state, allocation, now)

  // 2. XOR-PEER-ADDRESS and DATA are there (DATA may be empty).
  const peerValue = message.get(Attribute.XorPeerAddress)
  const payload = message.get(Attribute.Data)
  const peer = peerValue && decodeXorAddress(peerValue, message.transactionId)
  if (!peer || !payload) return state.ignore('malformed')

  // 3. The peer is permitted. A Send indication does not refresh the permission.
  if (!allocation.permitted(peer.address, peer.port, now)) return state.ignore('no-permission')

  state.emit({ type: 'relay', allocation: allocation.id, peer, payload })
}
