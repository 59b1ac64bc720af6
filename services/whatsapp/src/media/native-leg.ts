/** A leg on libdatachannel (npm node-datachannel): ICE, DTLS and SRTP outside of the JavaScript thread. */
import { randomInt } from 'node:crypto'
import nodeDataChannel, { type Audio, type PeerConnection, type Track } from 'node-datachannel'
import { OPUS, OPUS_PARAMETERS, readRemoteAudio, TELEPHONE_EVENT, whatsappSdp } from '../core/sdp.ts'
import { type LegAudio, LegError, type LegEvents, type MediaLeg, type NewLeg } from './leg.ts'

export interface NativeLegOptions {
  /** Local address; all of the machine's when there is none. */
  readonly bindAddress?: string
  /** Local UDP ports, first and last. */
  readonly ports?: readonly [number, number]
  /** `stun:` and `turn:` URLs. */
  readonly iceServers?: readonly string[]
}

/** ms for the local candidates: those of a STUN server that does not answer are not waited for. */
const GATHERING = 2000
/** The source's name in RTCP (RFC 7022 wants one that tells nothing). */
const CNAME = 'hairpin'

export function nativeLegs(options: NativeLegOptions = {}): NewLeg {
  return (events, side) => new NativeLeg(options, events, side)
}

class NativeLeg implements MediaLeg {
  readonly ssrc = randomInt(1, 0xffff_ffff)
  audio: LegAudio | undefined
  readonly #events: LegEvents
  readonly #side: 'whatsapp' | 'agent'
  readonly #connection: PeerConnection
  #track: Track | undefined
  #gathered: (() => void) | undefined
  /** Of the other side, until `start`. */
  #candidates: readonly string[] = []
  #mid = ''
  #closed = false

  constructor(
    { bindAddress, ports, iceServers = [] }: NativeLegOptions,
    events: LegEvents,
    side: 'whatsapp' | 'agent',
  ) {
    this.#events = events
    this.#side = side
    this.#connection = new nodeDataChannel.PeerConnection(side, {
      iceServers: [...iceServers],
      disableAutoNegotiation: true,
      ...(bindAddress === undefined ? {} : { bindAddress }),
      ...(ports ? { portRangeBegin: ports[0], portRangeEnd: ports[1] } : {}),
    })
    this.#connection.onStateChange((state) => apart(() => this.#onState(state)))
    this.#connection.onGatheringStateChange((state) => {
      if (state === 'complete') this.#gathered?.()
    })
  }

  async answer(offer: string): Promise<string> {
    const remote = this.#read(offer)
    this.#attempt(() => {
      this.#addTrack(remote.mid, remote.opus, remote.telephoneEvent)
      this.#connection.setRemoteDescription(remote.sdp, 'offer')
      this.#connection.setLocalDescription('answer')
    })
    return this.#described('answer')
  }

  async offer(): Promise<string> {
    this.#attempt(() => {
      this.#addTrack('audio', OPUS, TELEPHONE_EVENT)
      this.#connection.setLocalDescription('offer')
    })
    return this.#described('offer')
  }

  start(): void {
    const candidates = this.#candidates
    this.#candidates = []
    for (const candidate of this.#closed ? [] : candidates)
      try {
        this.#connection.addRemoteCandidate(candidate, this.#mid)
      } catch {
        // One of a kind that the library does not know, as of TCP: the others do.
      }
  }

  join(answer: string): void {
    const remote = this.#read(answer)
    this.#attempt(() => this.#connection.setRemoteDescription(remote.sdp, 'answer'))
    this.start()
  }

  send(packet: Buffer): boolean {
    if (this.#closed || !this.#track?.isOpen()) return false
    try {
      return this.#track.sendMessageBinary(packet)
    } catch {
      // It closed between the question and the act, in another thread.
      return false
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#gathered?.()
    this.#track?.close()
    this.#connection.close()
  }

  #read(sdp: string) {
    const remote = readRemoteAudio(sdp)
    if (typeof remote === 'string') throw new LegError(remote, 'the SDP cannot carry a call')
    this.#candidates = remote.candidates
    this.#mid = remote.mid
    this.audio = { opus: remote.opus, telephoneEvent: remote.telephoneEvent }
    return remote
  }

  #addTrack(mid: string, opus: number, telephoneEvent: number | undefined): void {
    const audio: Audio = new nodeDataChannel.Audio(mid, 'SendRecv')
    audio.addOpusCodec(opus, OPUS_PARAMETERS)
    if (telephoneEvent !== undefined) audio.addAudioCodec(telephoneEvent, 'telephone-event/8000', '0-16')
    audio.addSSRC(this.ssrc, CNAME, CNAME, 'audio')
    this.#track = this.#connection.addTrack(audio)
    this.#track.onMessage((packet) => {
      if (!this.#closed) apart(() => this.#events.onPacket(packet))
    })
  }

  async #described(type: 'offer' | 'answer'): Promise<string> {
    if (this.#connection.gatheringState() !== 'complete')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, GATHERING)
        this.#gathered = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    this.#gathered = undefined
    const description = this.#closed ? null : this.#connection.localDescription()
    if (!description) throw new LegError('MEDIA_FAILED', 'the leg was closed before it had an SDP')
    return this.#side === 'whatsapp' ? whatsappSdp(description.sdp, type) : description.sdp
  }

  /** The library throws plain errors, for SDP that it does not take among others. */
  #attempt(act: () => void): void {
    try {
      act()
    } catch (error) {
      throw new LegError('MEDIA_FAILED', (error as Error).message)
    }
  }

  #onState(state: string): void {
    if (this.#closed) return
    if (state === 'connected') this.#events.onConnected()
    else if (state === 'failed' || state === 'closed') this.#events.onLost()
  }
}

/** The library aborts the process when a callback of its throws: an error of ours is thrown where it can be handled. */
function apart(act: () => void): void {
  try {
    act()
  } catch (error) {
    setImmediate(() => {
      throw error
    })
  }
}
