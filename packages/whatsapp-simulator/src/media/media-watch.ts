/**
 * Checks what the business sends in one call against the documents: one SSRC, Opus in packets of 20 ms, digits as payload
 * type 126, no header extensions, nothing before it is allowed. No I/O; it keeps figures and not packets.
 */

/** The part of a decrypted RTP packet that is checked (RFC 3550 section 5.1). */
export interface WatchedPacket {
  readonly header: {
    readonly payloadType: number
    readonly sequenceNumber: number
    readonly timestamp: number
    readonly ssrc: number
    readonly extension: boolean
    readonly csrc: readonly number[]
  }
  readonly payload: Buffer
}

export interface MediaWatchOptions {
  /** Payload types that were negotiated. */
  readonly opus: number
  readonly telephoneEvent: number
  readonly onViolation: (rule: string, detail: string) => void
  /** False until `accept` was answered. */
  readonly mayTalk: () => boolean
}

/** Opus' clock runs at 48 kHz (RFC 7587 section 4.1). */
const STEP = 960
/** Larger steps are pauses, unless they come as regularly as packets of another length would. */
const LONGEST_PACKET = 120 * 48

export class MediaWatch {
  packets = 0
  bytes = 0
  digits = 0
  reports = 0
  /** RTP packets that came before they were allowed. */
  early = 0
  ssrc: number | undefined
  /** ms since 1970 of the last RTP or RTCP. */
  lastAt: number | undefined
  readonly #options: MediaWatchOptions
  #previous: { readonly sequence: number; readonly timestamp: number } | undefined
  #step = 0
  #sameSteps = 0

  constructor(options: MediaWatchOptions) {
    this.#options = options
  }

  rtp({ header, payload }: WatchedPacket, now: number): void {
    const { onViolation, mayTalk, opus, telephoneEvent } = this.#options
    this.packets++
    this.bytes += payload.length
    this.lastAt = now
    if (!mayTalk() && ++this.early === 1) onViolation('media-before-accept', 'RTP came before the 200 of accept')
    if (this.ssrc !== undefined && header.ssrc !== this.ssrc) onViolation('ssrc', `${this.ssrc}, then ${header.ssrc}`)
    this.ssrc = header.ssrc
    if (header.extension) onViolation('header-extension', 'a packet has header extensions')
    if (header.csrc.length > 0) onViolation('csrc', 'a packet names contributing sources')
    if (header.payloadType === opus) this.#opus(header.sequenceNumber, header.timestamp)
    else if (header.payloadType === telephoneEvent) this.#digit(payload)
    else onViolation('payload-type', `${header.payloadType} was not negotiated`)
  }

  rtcp(now: number): void {
    this.reports++
    this.lastAt = now
  }

  /** What is lost or comes in another order tells nothing of the steps. */
  #opus(sequence: number, timestamp: number): void {
    const previous = this.#previous
    this.#previous = { sequence, timestamp }
    if (!previous || ((sequence - previous.sequence) & 0xffff) !== 1) return
    const step = (timestamp - previous.timestamp) | 0
    this.#sameSteps = step === this.#step ? this.#sameSteps + 1 : 1
    this.#step = step
    if (step < STEP) this.#options.onViolation('step', `${step / 48} ms between two packets`)
    else if (step > STEP && step <= LONGEST_PACKET && this.#sameSteps === 3)
      this.#options.onViolation('step', `packets of ${step / 48} ms`)
  }

  /** RFC 4733 section 2.3: four bytes for each event. */
  #digit(payload: Buffer): void {
    if (payload.length !== 4 || payload[0]! > 16) this.#options.onViolation('digit', 'no telephone-event of a digit')
    else if (payload[1]! & 0x80) this.digits++
  }
}
