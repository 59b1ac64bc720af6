/**
 * Binding on a listener of NAT behaviour discovery: RFC 5780 section 6.1. The budget for strangers holds as for any Binding.
 * RESPONSE-PORT gives a forger nothing that the source port of a forged datagram does not. PADDING is answered with as much
 * as was sent, up to one packet of the Internet: the answer is never much larger than the request.
 */
import {
  Attribute,
  type ChangeRequest,
  decodeChangeRequest,
  decodeResponsePort,
  encodeAddress,
  encodeXorAddress,
} from '@hairpin/stun'
import type { Discovery } from '../discovery.ts'
import { mayAnswer } from '../may-answer.ts'
import { type AttributePair, reject, succeed } from '../reply.ts'
import type { Request } from '../request.ts'
import type { ServerState } from '../state.ts'

/** Bytes. */
const MAX_PADDING = 1500
const UNCHANGED: ChangeRequest = { address: false, port: false }

export function handleDiscovery(state: ServerState, request: Request, discovery: Discovery) {
  const { message, listener, from, now } = request
  const changeValue = message.get(Attribute.ChangeRequest)
  const portValue = message.get(Attribute.ResponsePort)
  const padding = message.get(Attribute.Padding)
  const change = changeValue ? decodeChangeRequest(changeValue) : UNCHANGED
  const port = portValue ? decodeResponsePort(portValue) : from.port
  // Fragments for a port that did not ask would be an attack.
  if (change === undefined || port === undefined || (padding && portValue))
    return reject(state, request, 'bad-request', now)

  if (!mayAnswer(state, listener, from, 'binding', now)) return state.ignore('rate-limited')
  const origin = discovery.from(listener, change)!
  const other = discovery.from(listener, { address: true, port: true })!
  const attributes: AttributePair[] = [
    [Attribute.XorMappedAddress, encodeXorAddress(from, request.transactionId)],
    [Attribute.ResponseOrigin, encodeAddress(origin.advertised)],
    [Attribute.OtherAddress, encodeAddress(other.advertised)],
  ]
  if (padding) attributes.push([Attribute.Padding, new Uint8Array(Math.min(padding.length, MAX_PADDING))])
  succeed(state, { ...request, listener: origin.listener, from: { ...from, port } }, attributes)
}
