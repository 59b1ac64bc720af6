import { keepAliveReport, RtpRelay } from '../core/rtp.ts'
import { type LegAudio, LegError, type MediaLeg, type NewLeg } from './leg.ts'

export interface BridgeOptions {
  readonly newLeg: NewLeg
  /** Media comes from WhatsApp; told every few seconds while it does. */
  readonly onHeard: () => void
  /** RTP or RTCP comes from the agent who is connected; told every second or so. */
  readonly onAgentHeard: () => void
  /** The WhatsApp side's connection is gone. */
  readonly onLost: () => void
  /** ms. */
  readonly now: () => number
}

/** Packets and bytes of RTP that were passed on. */
export interface BridgeCounts {
  packets: number
  bytes: number
}

interface Agent {
  readonly name: string
  readonly leg: MediaLeg
  /** To the agent. */
  readonly relay: RtpRelay
}

/** ms between two reports to WhatsApp, which ends a call after 20 s without any; between two `onHeard` and `onAgentHeard`. */
const REPORT_EVERY = 5000
const HEARD_EVERY = 1000

/**
 * The media of one call: a leg to WhatsApp and one to the agent's browser, between which RTP passes without its payload being
 * touched. Nothing is sent to WhatsApp before `open`, because the first packet counts as the answer to the call.
 */
export class Bridge {
  readonly toAgent: BridgeCounts = { packets: 0, bytes: 0 }
  readonly toWhatsapp: BridgeCounts = { packets: 0, bytes: 0 }
  readonly #options: BridgeOptions
  readonly #whatsapp: MediaLeg
  readonly #outward: RtpRelay
  #agent: Agent | undefined
  /** Whose media passes; undefined: nobody's. */
  #speaker: string | undefined
  #reports: NodeJS.Timeout | undefined
  #heardAt = 0
  #agentHeardAt = 0
  #closed = false

  constructor(options: BridgeOptions) {
    this.#options = options
    const onPacket = (packet: Buffer) => this.#fromWhatsapp(packet)
    this.#whatsapp = options.newLeg({ onPacket, onConnected: () => {}, onLost: options.onLost }, 'whatsapp')
    this.#outward = new RtpRelay({ ssrc: this.#whatsapp.ssrc, payloadTypes: new Map() })
  }

  /** The WhatsApp side's SDP: an answer to the customer's offer, or an offer. @throws LegError */
  describe(offer: string | undefined): Promise<string> {
    return offer === undefined ? this.#whatsapp.offer() : this.#whatsapp.answer(offer)
  }

  /** WhatsApp has our answer. */
  start(): void {
    this.#whatsapp.start()
  }

  /** @throws LegError */
  join(answer: string): void {
    this.#whatsapp.join(answer)
  }

  /** Answers the browser of an agent, instead of the one that was connected before. @throws LegError */
  async connectAgent(name: string, offer: string): Promise<string> {
    if (this.#closed) throw new LegError('MEDIA_FAILED', 'the call is over')
    this.#agent?.leg.close()
    const leg: MediaLeg = this.#options.newLeg(
      {
        onPacket: (packet) => this.#fromAgent(leg, packet),
        onConnected: () => {},
        // The agent's page says by signaling whether it comes back.
        onLost: () => {},
      },
      'agent',
    )
    this.#agent = { name, leg, relay: new RtpRelay({ ssrc: leg.ssrc, payloadTypes: new Map() }) }
    const answer = await leg.answer(offer)
    leg.start()
    this.#mapPayloadTypes()
    return answer
  }

  /** From now on media passes between WhatsApp and this agent; without one, as on hold, WhatsApp hears reports alone. */
  open(agent: string | undefined): void {
    this.#speaker = agent
    // What was held back leaves no gap, which a long one's receivers could not decrypt across (RFC 3711 section 3.3.1).
    this.#outward.resume()
    this.#agent?.relay.resume()
    this.#mapPayloadTypes()
    if (this.#closed) return
    this.#report()
    if (this.#reports) return
    this.#reports = setInterval(() => this.#report(), REPORT_EVERY)
    this.#reports.unref()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#reports)
    this.#agent?.leg.close()
    this.#whatsapp.close()
    this.#speaker = undefined
  }

  /** The two sides may number the same codecs differently. */
  #mapPayloadTypes(): void {
    const [ours, theirs] = [this.#whatsapp.audio, this.#agent?.leg.audio]
    if (!ours || !theirs || !this.#agent) return
    this.#outward.payloadTypes = payloadTypes(theirs, ours)
    this.#agent.relay.payloadTypes = payloadTypes(ours, theirs)
  }

  #fromWhatsapp(packet: Buffer): void {
    const now = this.#options.now()
    if (now - this.#heardAt >= HEARD_EVERY) {
      this.#heardAt = now
      this.#options.onHeard()
    }
    const agent = this.#agent
    if (agent && agent.name === this.#speaker) pass(packet, now, agent.relay, agent.leg, this.toAgent)
  }

  #fromAgent(leg: MediaLeg, packet: Buffer): void {
    if (this.#agent?.leg !== leg) return
    const now = this.#options.now()
    if (now - this.#agentHeardAt >= HEARD_EVERY) {
      this.#agentHeardAt = now
      this.#options.onAgentHeard()
    }
    if (this.#agent.name === this.#speaker) pass(packet, now, this.#outward, this.#whatsapp, this.toWhatsapp)
  }

  #report(): void {
    this.#whatsapp.send(keepAliveReport(this.#whatsapp.ssrc, 'hairpin'))
  }
}

/** RTCP ends at the leg it came by: its reports are of streams that the other side does not know. */
function pass(packet: Buffer, now: number, relay: RtpRelay, to: MediaLeg, counts: BridgeCounts): void {
  const out = relay.relay(packet, now)
  if (!out || !to.send(out)) return
  counts.packets++
  counts.bytes += out.length
}

function payloadTypes(from: LegAudio, to: LegAudio): ReadonlyMap<number, number> {
  const types = new Map([[from.opus, to.opus]])
  if (from.telephoneEvent !== undefined && to.telephoneEvent !== undefined)
    types.set(from.telephoneEvent, to.telephoneEvent)
  return types
}
