import { Emitter } from './emitter.ts'

export interface NegotiatorEvents {
  /** To be sent to the peer, in this order. */
  description: [RTCSessionDescriptionInit]
  candidate: [RTCIceCandidateInit]
  /** The engine refused a description: nothing will connect. */
  failed: [unknown]
}

/**
 * Offer and answer over one peer connection by the perfect negotiation pattern (webrtc-pc, section 10.7): either side may
 * offer at any time, and of two crossing offers the polite side's gives way. Candidates trickle; those that come before
 * their description wait.
 */
export class Negotiator extends Emitter<NegotiatorEvents> {
  readonly #polite: boolean
  readonly #peer: RTCPeerConnection
  readonly #early: RTCIceCandidateInit[] = []
  readonly #held: RTCIceCandidateInit[] = []
  #describing = 0
  #makingOffer = false
  #settingAnswer = false
  #closed = false
  #giveUp: () => void = () => undefined
  /** What a peer connection was at when it was closed stays pending for good (webrtc-pc, section 4.4.1.2). */
  readonly #givenUp: Promise<void>

  constructor(peer: RTCPeerConnection, polite: boolean) {
    super()
    this.#givenUp = new Promise((resolve) => {
      this.#giveUp = resolve
    })
    this.#peer = peer
    this.#polite = polite
    peer.onnegotiationneeded = () => void this.#offer()
    peer.onicecandidate = ({ candidate }) => {
      // An empty candidate is an end-of-candidates mark, which the tutorial's protocol does not carry.
      if (candidate?.candidate) this.#sendCandidate(candidate.toJSON())
    }
  }

  /** Takes the peer's offer or answer. `beforeAnswer` runs with the offer applied: the moment to attach tracks to it. */
  async handleDescription(description: RTCSessionDescriptionInit, beforeAnswer?: () => void): Promise<void> {
    try {
      await Promise.race([this.#apply(description, beforeAnswer), this.#givenUp])
    } catch (error) {
      if (!this.#closed) this.emit('failed', error)
    }
  }

  async handleCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (!this.#peer.remoteDescription) {
      this.#early.push(candidate)
      return
    }
    await this.#add(candidate)
  }

  close(): void {
    this.#closed = true
    this.#giveUp()
    this.#peer.onnegotiationneeded = null
    this.#peer.onicecandidate = null
    this.#early.length = 0
    this.#held.length = 0
  }

  async #apply(description: RTCSessionDescriptionInit, beforeAnswer?: () => void): Promise<void> {
    const peer = this.#peer
    const ready = !this.#makingOffer && (peer.signalingState === 'stable' || this.#settingAnswer)
    const collision = description.type === 'offer' && !ready
    if (collision && !this.#polite) return
    // An answer to an offer that was rolled back or already answered.
    if (description.type === 'answer' && peer.signalingState !== 'have-local-offer') return
    this.#settingAnswer = description.type === 'answer'
    try {
      await peer.setRemoteDescription(description)
    } finally {
      this.#settingAnswer = false
    }
    for (const candidate of this.#early.splice(0)) await this.#add(candidate)
    if (description.type !== 'offer' || this.#closed) return
    beforeAnswer?.()
    await this.#describe()
  }

  async #offer(): Promise<void> {
    this.#makingOffer = true
    try {
      await this.#describe()
    } catch (error) {
      if (!this.#closed) this.emit('failed', error)
    } finally {
      this.#makingOffer = false
    }
  }

  /** Makes the local offer or answer, whichever is due, and sends it ahead of its candidates. */
  async #describe(): Promise<void> {
    this.#describing++
    try {
      await this.#peer.setLocalDescription()
      const local = this.#peer.localDescription
      if (local && !this.#closed) this.emit('description', { type: local.type, sdp: local.sdp })
    } finally {
      this.#describing--
      if (this.#describing === 0) for (const candidate of this.#held.splice(0)) this.emit('candidate', candidate)
    }
  }

  #sendCandidate(candidate: RTCIceCandidateInit): void {
    if (this.#describing > 0) this.#held.push(candidate)
    else this.emit('candidate', candidate)
  }

  /** A candidate that cannot be used costs a path, never the call. */
  async #add(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.#peer.addIceCandidate(candidate)
    } catch {
      // Its generation is gone (an ignored offer, an ICE restart) or its address family is unknown here.
    }
  }
}
