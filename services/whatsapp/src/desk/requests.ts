import type { DeskBody, DeskRequest } from '@hairpin/desk'
import { reasonTexts } from '../core/reasons.ts'
import { readRemoteAudio } from '../core/sdp.ts'
import { LegError } from '../media/leg.ts'
import type { CallService } from '../service.ts'
import type { Board } from './board.ts'
import { type Card, customerOf } from './card.ts'
import { digitsOf } from './number.ts'
import { permissionBody, requestedBody } from './permission.ts'
import { Refusal } from './refusal.ts'

export type DeskService = Pick<
  CallService,
  | 'agentOf'
  | 'isFree'
  | 'arrive'
  | 'leave'
  | 'lose'
  | 'regain'
  | 'offer'
  | 'directAnswer'
  | 'directOffer'
  | 'decline'
  | 'hangUp'
  | 'hold'
  | 'transfer'
  | 'keep'
  | 'dial'
  | 'permission'
  | 'requestPermission'
>

export interface RequestsOptions {
  readonly mode: 'bridge' | 'direct'
  readonly service: DeskService
  readonly board: Board
  readonly isHere: (agent: string) => boolean
}

/** A device of an agent that asks for something. */
export interface Asker {
  readonly agent: string
  readonly device: string
  /** Answers this device. */
  readonly reply: (body: DeskBody) => void
}

type Of<T extends DeskRequest['type']> = Extract<DeskRequest, { type: T }>

/** What agents ask becomes acts on the calls. Each act throws a Refusal, or a LegError for an SDP, when it has no effect. */
export class Requests {
  readonly #options: RequestsOptions

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  async act(asker: Asker, request: DeskRequest): Promise<void> {
    switch (request.type) {
      case 'browser-offer':
        return this.#offer(asker, request)
      case 'browser-answer':
        return this.#directAnswer(asker, request)
      case 'call-decline':
        return this.#decline(asker, request)
      case 'call-dial':
        return this.#dial(asker, request)
      case 'call-permission':
        return this.#permission(asker, request)
      case 'call-over':
        this.#ownCall(asker, request.callId)
        return this.#options.service.hangUp(asker.agent, request.callId)
      case 'call-keep':
        this.#ownCall(asker, request.callId)
        return this.#options.service.keep(asker.agent, request.callId)
      case 'call-hold':
        return this.#hold(asker, request)
      case 'call-transfer':
        return this.#transfer(asker, request)
    }
  }

  async #offer({ agent, device, reply }: Asker, { callId, sdp }: Of<'browser-offer'>): Promise<void> {
    const { service, board } = this.#options
    const card = this.#card(callId)
    // Before anything changes hands: an offer that cannot carry the call must not take it from another device.
    const fault = readRemoteAudio(sdp)
    if (typeof fault === 'string') throw new LegError(fault, 'the SDP cannot carry a call')
    const attempt = {}
    try {
      // The call is taken before there is anything to wait for.
      const answering = service.offer(agent, callId, sdp)
      if (service.agentOf(callId) === agent) board.carry(card, agent, device, attempt)
      const answer = await answering
      if (answer === undefined) this.#missed(reply, callId)
      else if (card.attempt === attempt) reply({ type: 'browser-answer', callId, sdp: answer })
    } catch (error) {
      // A later offer has taken its place, or the call is over: the device was told of either.
      const isLate = card.attempt !== undefined && card.attempt !== attempt
      if (!isLate && board.cardOf(callId)) throw error
    }
  }

  #directAnswer({ agent, device, reply }: Asker, { callId, sdp }: Of<'browser-answer'>): void {
    const { service, board } = this.#options
    const card = this.#card(callId)
    if (service.directAnswer(agent, callId, sdp)) board.carry(card, agent, device, {})
    else this.#missed(reply, callId)
  }

  /** Somebody else was first, or the call has ended meanwhile. */
  #missed(reply: Asker['reply'], callId: string): void {
    reply({ type: 'answered-elsewhere', callId, name: customerOf(this.#card(callId)) })
  }

  #decline({ agent, device }: Asker, { callId }: Of<'call-decline'>): void {
    const { service, board } = this.#options
    if (!board.rings(agent, callId)) throw new Refusal('SIG_NO_CALL')
    board.declined(agent, device, callId)
    service.decline(agent, callId)
  }

  #dial({ agent, device }: Asker, { number, sdp }: Of<'call-dial'>): void {
    const { service, board, mode } = this.#options
    const digits = demandDigits(number)
    if (mode === 'direct' && sdp === undefined)
      throw new Refusal('SIG_BAD_SDP', 'In direct mode call-dial has the browser’s offer.')
    const callId = board.dialling(digits, () => service.dial(agent, digits))
    if (callId === undefined) throw new Refusal('SIG_AGENT_BUSY')
    const card = board.cardOf(callId)
    if (card) card.device = device
    if (mode === 'bridge') return
    try {
      service.directOffer(agent, callId, sdp!)
    } catch (error) {
      service.hangUp(agent, callId)
      throw error
    }
  }

  #hold(asker: Asker, { callId, held }: Of<'call-hold'>): void {
    const card = this.#ownCall(asker, callId)
    if (!this.#options.service.hold(asker.agent, callId, held)) throw this.#notNow()
    this.#options.board.held(card, asker.agent, held)
  }

  #transfer(asker: Asker, { callId, to }: Of<'call-transfer'>): void {
    const { service, isHere } = this.#options
    this.#ownCall(asker, callId)
    if (!isHere(to)) throw new Refusal('SIG_TARGET_UNKNOWN')
    if (!service.isFree(to)) throw new Refusal('SIG_AGENT_BUSY')
    if (!service.transfer(asker.agent, callId, to)) throw this.#notNow()
  }

  async #permission({ reply }: Asker, { number, request }: Of<'call-permission'>): Promise<void> {
    const { service } = this.#options
    const digits = demandDigits(number)
    if (request) {
      const asked = await service.requestPermission(digits)
      if (!asked.ok) throw new Refusal('SIG_CALL_REFUSED', reasonTexts[asked.reason])
      reply(requestedBody(digits))
      return
    }
    const answer = await service.permission(digits)
    if (!answer.ok) throw new Refusal('SIG_CALL_REFUSED', reasonTexts[answer.reason])
    reply(permissionBody(digits, answer))
  }

  #card(callId: string): Card {
    const card = this.#options.board.cardOf(callId)
    if (!card) throw new Refusal('SIG_NO_CALL')
    return card
  }

  #ownCall({ agent }: Asker, callId: string): Card {
    const card = this.#card(callId)
    if (this.#options.service.agentOf(callId) !== agent) throw new Refusal('SIG_NO_CALL')
    return card
  }

  #notNow(): Refusal {
    return this.#options.mode === 'direct'
      ? new Refusal('SIG_CALL_REFUSED', 'In direct mode calls are neither put on hold here nor handed over.')
      : new Refusal('SIG_CALL_REFUSED', 'No speech flows in this call yet.')
  }
}

function demandDigits(text: string): string {
  const digits = digitsOf(text)
  if (digits === undefined) throw new Refusal('SIG_BAD_MESSAGE', 'This is no phone number with its country’s code.')
  return digits
}
