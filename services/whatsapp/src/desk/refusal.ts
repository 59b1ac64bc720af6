import { type SignalingErrorCode, signalingErrors } from '@hairpin/protocol'

/** A request of an agent that has no effect; the agent's device is told why. */
export class Refusal extends Error {
  readonly code: SignalingErrorCode

  constructor(code: SignalingErrorCode, message: string = signalingErrors[code]) {
    super(message)
    this.name = 'Refusal'
    this.code = code
  }
}
