/** Data indications: RFC 8656 section 11.3. */
import { Attribute, Class, encodeXorAddress, MessageWriter, Method } from '@hairpin/stun'
import type { Allocation } from './allocation.ts'

/**
 * What a peer's datagram becomes for a client that has no channel for it: a whole message, ready to send.
 * Its transaction id is a counter: indications have no answer, and nothing depends on it being hard to guess.
 */
export function dataIndication(
  allocation: Allocation,
  peer: { readonly address: string; readonly port: number },
  payload: Uint8Array,
): Uint8Array {
  const id = transactionIdFor(allocation)
  return new MessageWriter(Method.Data, Class.Indication, id, payload.length + 56)
    .attribute(Attribute.XorPeerAddress, encodeXorAddress(peer, id))
    .attribute(Attribute.Data, payload)
    .finish()
}

function transactionIdFor(allocation: Allocation): Uint8Array {
  const id = new Uint8Array(12)
  const view = new DataView(id.buffer)
  view.setUint32(0, allocation.id)
  view.setUint32(8, allocation.peerToClientPackets)
  return id
}
