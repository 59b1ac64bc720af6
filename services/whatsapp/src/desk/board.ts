import type { DeskBody, Recipients } from '@hairpin/desk'
import type { AgentEvent, CallRecord } from '../core/call.ts'
import { type Card, callerOf, customerOf, endBody, newCard, stateBody } from './card.ts'

export interface BoardOptions {
  readonly send: (agent: string, devices: Recipients, body: DeskBody) => void
  /** ms since 1970. */
  readonly now: () => number
}

/** What an agent's devices were told of. */
interface View {
  /** By the call's id. */
  readonly ringing: Map<string, DeskBody>
  call: string | undefined
}

/**
 * The calls as agents see them: what happens to a call becomes messages to devices, and what a device has not heard can be
 * told to it later. A call is an agent's; which of the agent's devices carries it is known here alone.
 */
export class Board {
  readonly #options: BoardOptions
  readonly #cards = new Map<string, Card>()
  readonly #views = new Map<string, View>()
  #dialled: string | undefined

  constructor(options: BoardOptions) {
    this.#options = options
  }

  cardOf(callId: string): Card | undefined {
    return this.#cards.get(callId)
  }

  /** Whether it rings at the agent. */
  rings(agent: string, callId: string): boolean {
    return this.#views.get(agent)?.ringing.has(callId) ?? false
  }

  /** The first event of a call that is being made comes before its id does: it is of this number. */
  dialling<T>(number: string, dial: () => T): T {
    this.#dialled = number
    try {
      return dial()
    } finally {
      this.#dialled = undefined
    }
  }

  /** Something happened to a call that this agent has or is offered. */
  told(agent: string, callId: string, event: AgentEvent): void {
    const card = this.#card(callId, event)
    const view = this.#view(agent)
    const tell = (body: DeskBody, devices: Recipients = 'all') => this.#options.send(agent, devices, body)
    switch (event.type) {
      case 'call-is-coming': {
        const body = comingBody(card, event)
        view.ringing.set(callId, body)
        tell(body)
        break
      }
      case 'answered-elsewhere':
        view.ringing.delete(callId)
        tell({ type: event.type, callId, name: customerOf(card) })
        break
      case 'ring-stopped':
        view.ringing.delete(callId)
        tell({ type: event.type, callId })
        break
      case 'browser-answer':
        tell({ ...event, callId }, card.device === undefined ? 'all' : { only: card.device })
        break
      case 'call-state':
        view.call = callId
        card.state = event.state
        if (event.state === 'answered' || event.state === 'connected') card.answeredAt ??= this.#options.now()
        tell(stateBody(card, false))
        break
      case 'call-resumed':
        card.held = event.held
        tell(stateBody(card, true))
        break
      case 'transferred':
        view.call = undefined
        tell({ type: 'call-transferred', callId })
        break
      case 'transfer-declined':
        tell({ type: event.type, callId })
        break
      case 'call-ended':
        forget(view, callId)
        tell(endBody(card, event.reason, event.cause))
    }
  }

  /** A call is over. Agents who were away when it ended are told now, for when they come back. */
  over({ key, ending }: Pick<CallRecord, 'key' | 'ending'>): void {
    const card = this.#cards.get(key)
    this.#cards.delete(key)
    if (!card) return
    for (const [agent, view] of this.#views) {
      if (view.call !== key && !view.ringing.has(key)) continue
      forget(view, key)
      this.#options.send(agent, 'all', endBody(card, ending.reason, ending.cause))
    }
  }

  /** From now on this device of the agent has the call. @param attempt by which it got it */
  carry(card: Card, agent: string, device: string, attempt: object): void {
    const { callId } = card
    const view = this.#view(agent)
    const isNew = view.call !== callId
    view.ringing.delete(callId)
    view.call = callId
    card.attempt = attempt
    if (card.device !== device)
      this.#options.send(agent, { except: device }, { type: 'answered-elsewhere', callId, name: customerOf(card) })
    card.device = device
    if (!isNew || card.answeredAt === undefined) return
    // Handed over: no further state follows by itself, and whoever held it does so no more.
    card.held = false
    this.#options.send(agent, 'all', stateBody(card, false))
  }

  /** The device that carries the agent's call, if there is one. */
  carrierOf(agent: string): string | undefined {
    return this.#cards.get(this.#views.get(agent)?.call ?? '')?.device
  }

  /** The agent's other devices can go on with the call that this one carries. */
  abandoned(agent: string, device: string): void {
    const card = this.#cards.get(this.#view(agent).call ?? '')
    if (card) this.#options.send(agent, { except: device }, stateBody(card, true))
  }

  /** The agent does not take what rings at all of its devices. */
  declined(agent: string, device: string, callId: string): void {
    this.#view(agent).ringing.delete(callId)
    this.#options.send(agent, { except: device }, { type: 'ring-stopped', callId })
  }

  held(card: Card, agent: string, held: boolean): void {
    card.held = held
    this.#options.send(agent, 'all', stateBody(card, false))
  }

  /** Tells a device all that the agent's other devices know. */
  show(agent: string, device: string): void {
    const view = this.#view(agent)
    for (const body of view.ringing.values()) this.#options.send(agent, { only: device }, body)
    const card = this.#cards.get(view.call ?? '')
    if (card) this.#options.send(agent, { only: device }, stateBody(card, true))
  }

  /**
   * The agent is back: what still rings is told by `arrive`.
   * @param isTaken whether somebody has the call
   */
  back(agent: string, arrive: () => void, isTaken: (callId: string) => boolean): void {
    const view = this.#view(agent)
    const former = [...view.ringing.keys()]
    view.ringing.clear()
    arrive()
    for (const callId of former) {
      const card = this.#cards.get(callId)
      if (!card || view.ringing.has(callId)) continue
      const name = customerOf(card)
      const body: DeskBody = isTaken(callId)
        ? { type: 'answered-elsewhere', callId, name }
        : { type: 'ring-stopped', callId }
      this.#options.send(agent, 'all', body)
    }
  }

  /** Gives back what is held for agents who are not here and have nothing to be told. */
  forgetIdle(isHere: (agent: string) => boolean): void {
    for (const [agent, { ringing, call }] of this.#views)
      if (ringing.size === 0 && call === undefined && !isHere(agent)) this.#views.delete(agent)
  }

  /** A call begins for agents by its ringing, or by an agent's calling. */
  #card(callId: string, event: AgentEvent): Card {
    let card = this.#cards.get(callId)
    if (card) return card
    card =
      event.type === 'call-is-coming'
        ? newCard(callId, { direction: 'user', name: event.callerName, number: event.callerNumber })
        : newCard(callId, { direction: 'business', name: undefined, number: this.#dialled })
    this.#cards.set(callId, card)
    return card
  }

  #view(agent: string): View {
    let view = this.#views.get(agent)
    if (!view) {
      view = { ringing: new Map(), call: undefined }
      this.#views.set(agent, view)
    }
    return view
  }
}

function forget(view: View, callId: string): void {
  view.ringing.delete(callId)
  if (view.call === callId) view.call = undefined
}

function comingBody(card: Card, event: Extract<AgentEvent, { type: 'call-is-coming' }>): DeskBody {
  const { transferredBy, sdp } = event
  return {
    type: 'call-is-coming',
    callId: card.callId,
    ...callerOf(card),
    ...(transferredBy === undefined ? {} : { transferredBy }),
    ...(sdp === undefined ? {} : { sdp }),
  }
}
