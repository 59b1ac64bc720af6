/** A leg on libdatachannel (npm node-datachannel): ICE, DTLS and SRTP outside of the JavaScript thread. */
import { randomInt } from 'node:crypto'
import nodeDataChannel, { type Audio, type IceServer, type PeerConnection, type Track } from 'node-datachannel'
import { OPUS, OPUS_PARAMETERS, readRemoteAudio, TELEPHONE_EVENT, whatsappSdp, withPublicAddress } from '../core/sdp.ts'
import { type IceServerEntry, nativeIceServers } from './ice-servers.ts'
import { type LegAudio, LegError, type LegEvents, type MediaLeg, type NewLeg } from './leg.ts'
import { MediaPorts } from './ports.ts'

export interface NativeLegOptions {
  /** Local address; all of the machine's when there is none. */
  readonly bindAddress?: string
  /** What the local IPv4 address is outside of a 1:1 NAT: candidates name both. */
  readonly publicAddress?: string
  /** Local UDP ports, first and last; a leg takes one. */
  readonly ports?: readonly [number, number]
  /**
   * Of the legs to agents, whose browsers may only be able to use a relay; asked for each leg, because credentials end.
   * WhatsApp needs none: it is public, and our checks go there.
   */
  readonly iceServers?: () => readonly IceServerEntry[] | Promise<readonly IceServerEntry[]>
  /** `iceServers` failed, or took too long: the leg goes without. */
  readonly onFault?: (error: unknown) => void
}

/** ms for the local candidates: those of a STUN server that does not answer are not waited for. */
const GATHERING = 2000
/** ms for `iceServers`. */
const ASKING = 1000
/** The source's name in RTCP (RFC 7022 wants one that tells nothing). */
const CNAME = 'hairpin'

export function nativeLegs(options: NativeLegOptions = {}): NewLeg {
  const ports = new MediaPorts(options.bindAddress, options.ports)
  return (events, side) => new NativeLeg(options, ports, events, side)
}

class NativeLeg implements MediaLeg {
  readonly ssrc = randomInt(1, 0xffff_ffff)
  audio: LegAudio | undefined
  readonly #events: LegEvents
  readonly #side: 'whatsapp' | 'agent'
  readonly #options: NativeLegOptions
  readonly #ports: MediaPorts
  #port = 0
  #connection: PeerConnection | undefined
  #track: Track | undefined
  #gathered: (() => void) | undefined
  /** Of the other side, until `start`. */
  #candidates: readonly string[] = []
  #mid = ''
  #closed = false

  constructor(options: NativeLegOptions, ports: MediaPorts, events: LegEvents, side: 'whatsapp' | 'agent') {
    this.#options = options
    this.#ports = ports
    this.#events = events
    this.#side = side
  }

  async answer(offer: string): Promise<string> {
    const remote = this.#read(offer)
    const iceServers = this.#side === 'agent' ? await this.#iceServers() : []
    const connection = await this.#connect(iceServers)
    this.#attempt(() => {
      this.#addTrack(connection, remote.mid, remote.opus, remote.telephoneEvent)
      // This makes the answer, too; `setLocalDescription` would abort the process where it should throw.
      connection.setRemoteDescription(remote.sdp, 'offer')
    })
    return this.#described(connection, 'answer')
  }

  async offer(): Promise<string> {
    const connection = await this.#connect([])
    this.#attempt(() => {
      this.#addTrack(connection, 'audio', OPUS, TELEPHONE_EVENT)
      connection.setLocalDescription('offer')
    })
    return this.#described(connection, 'offer')
  }

  start(): void {
    const candidates = this.#candidates
    this.#candidates = []
    for (const candidate of this.#closed ? [] : candidates)
      try {
        this.#connection?.addRemoteCandidate(candidate, this.#mid)
      } catch {
        // One of a kind that the library does not know, as of TCP: the others do.
      }
  }

  join(answer: string): void {
    const remote = this.#read(answer)
    this.#attempt(() => this.#connection?.setRemoteDescription(remote.sdp, 'answer'))
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
    this.#connection?.close()
    this.#ports.release(this.#port)
  }

  async #iceServers(): Promise<readonly IceServer[]> {
    const { iceServers, onFault } = this.#options
    if (!iceServers) return []
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`no ICE servers within ${ASKING} ms`)), ASKING)
    try {
      return nativeIceServers(await Promise.race([iceServers(), late]))
    } catch (error) {
      onFault?.(error)
      return []
    } finally {
      clearTimeout(timer)
    }
  }

  /** @throws LegError when there is no port, or it was closed meanwhile */
  async #connect(iceServers: readonly IceServer[]): Promise<PeerConnection> {
    const port = await this.#ports.take()
    if (this.#closed) {
      this.#ports.release(port)
      throw closedEarly()
    }
    this.#port = port
    const { bindAddress } = this.#options
    const connection = this.#attempt(
      () =>
        new nodeDataChannel.PeerConnection(this.#side, {
          iceServers: [...iceServers],
          ...(bindAddress === undefined ? {} : { bindAddress }),
          ...(port === 0 ? {} : { portRangeBegin: port, portRangeEnd: port }),
        }),
    )
    connection.onStateChange((state) => apart(() => this.#onState(state)))
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') this.#gathered?.()
    })
    this.#connection = connection
    return connection
  }

  #read(sdp: string) {
    const remote = readRemoteAudio(sdp)
    if (typeof remote === 'string') throw new LegError(remote, 'the SDP cannot carry a call')
    this.#candidates = remote.candidates
    this.#mid = remote.mid
    this.audio = { opus: remote.opus, telephoneEvent: remote.telephoneEvent }
    return remote
  }

  #addTrack(connection: PeerConnection, mid: string, opus: number, telephoneEvent: number | undefined): void {
    const audio: Audio = new nodeDataChannel.Audio(mid, 'SendRecv')
    audio.addOpusCodec(opus, OPUS_PARAMETERS)
    if (telephoneEvent !== undefined) audio.addAudioCodec(telephoneEvent, 'telephone-event/8000', '0-16')
    audio.addSSRC(this.ssrc, CNAME, CNAME, 'audio')
    this.#track = connection.addTrack(audio)
    this.#track.onMessage((packet) => {
      if (!this.#closed) apart(() => this.#events.onPacket(packet))
    })
  }

  async #described(connection: PeerConnection, type: 'offer' | 'answer'): Promise<string> {
    if (connection.gatheringState() !== 'complete')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, GATHERING)
        this.#gathered = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    this.#gathered = undefined
    const description = this.#closed ? null : connection.localDescription()
    if (!description) throw closedEarly()
    const { publicAddress } = this.#options
    const sdp = publicAddress === undefined ? description.sdp : withPublicAddress(description.sdp, publicAddress)
    return this.#side === 'whatsapp' ? whatsappSdp(sdp, type) : sdp
  }

  /** The library throws plain errors, for SDP that it does not take among others. */
  #attempt<T>(act: () => T): T {
    try {
      return act()
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

function closedEarly(): LegError {
  return new LegError('MEDIA_FAILED', 'the leg was closed before it had an SDP')
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
