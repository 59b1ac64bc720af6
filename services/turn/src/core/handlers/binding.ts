/** Binding: RFC 8489 sections 6.3.1 and 12. The answer to whoever asks is XOR-MAPPED-ADDRESS and nothing more. */
import { Attribute, encodeXorAddress } from '@hairpin/stun'
import { mayAnswer } from '../may-answer.ts'
import { succeed } from '../reply.ts'
import type { Request } from '../request.ts'
import type { ServerState } from '../state.ts'

export function handleBinding(state: ServerState, request: Request) {
  if (!mayAnswer(state, request.listener, request.from, 'binding', request.now)) return state.ignore('rate-limited')
  succeed(state, request, [[Attribute.XorMappedAddress, encodeXorAddress(request.from, request.transactionId)]])
}
