import {
  type Agent,
  type AgentCall,
  AgentDesk,
  AgentRefusal,
  type CallPermission,
  type CallStatsSample,
  type CloseInfo,
  clientErrors,
  HairpinClient,
  HairpinError,
  type SignalingState,
  stopMedia,
} from '@hairpin/client'
import { Ring } from '../../../src/state/ring.ts'
import { callerText, endText, numberText, permissionText } from '../format.ts'
import {
  type Admission,
  carriedCall,
  forget,
  forgetCall,
  remember,
  rememberCall,
  remembered,
  tokenOfAddress,
} from './admission.ts'
import { History, type PastCall } from './history.ts'
import { chooseMicrophone, openMicrophone } from './microphone.ts'

export interface Notice {
  readonly tone: 'info' | 'problem'
  readonly text: string
}

/** What the form for calls to customers knows. */
export interface Outgoing {
  readonly number: string
  readonly permission: CallPermission | undefined
  /** The server was asked and has not answered. */
  readonly asking: boolean
}

export interface View {
  readonly connection: SignalingState
  readonly name: string | undefined
  /** The page's address had a token. */
  readonly invited: boolean
  readonly available: boolean
  readonly wanted: boolean
  readonly mode: 'bridge' | 'direct'
  /** The other agents who are here. */
  readonly others: readonly Agent[]
  readonly ringing: readonly AgentCall[]
  readonly call: AgentCall | undefined
  /** What the microphone is being opened for. */
  readonly preparing: AgentCall | 'dial' | 'available' | undefined
  readonly stats: CallStatsSample | undefined
  readonly outgoing: Outgoing
  readonly history: readonly PastCall[]
  readonly notice: Notice | undefined
}

/** What the page shows and what its buttons do; the views read `view` and call the verbs. */
export class AgentSession {
  readonly #url: string
  readonly #listeners = new Set<() => void>()
  readonly #history = new History()
  readonly #ring = new Ring()
  readonly #title = document.title
  #client: HairpinClient | undefined
  #desk: AgentDesk | undefined
  #admission: Admission | undefined
  #token: string | undefined
  #preparing: View['preparing']
  #stats: CallStatsSample | undefined
  #outgoing: Outgoing = { number: '', permission: undefined, asking: false }
  #notice: Notice | undefined
  /** The notice goes when the service for calls is back. */
  #isAway = false
  #view: View | undefined

  constructor(url: string) {
    this.#url = url
    addEventListener('online', () => this.#client?.checkNow())
    // A page that is loaded anew during a call goes on with it; an agent who has none is gone at once.
    addEventListener('pagehide', () => {
      if (!this.#carries) this.#client?.leave()
    })
  }

  get view(): View {
    const desk = this.#desk
    const name = this.#client?.name
    this.#view ??= {
      connection: this.#client?.connection.state ?? 'idle',
      name: name === undefined ? undefined : this.#client?.labelOf(name),
      invited: this.#token !== undefined,
      available: desk?.available ?? false,
      wanted: desk?.wanted ?? false,
      mode: desk?.mode ?? 'bridge',
      others: (desk?.agents ?? []).filter((agent) => agent.name !== name),
      ringing: desk?.ringing ?? [],
      call: desk?.current,
      preparing: this.#preparing,
      stats: this.#stats,
      outgoing: this.#outgoing,
      history: this.#history.calls,
      notice: this.#notice,
    }
    return this.#view
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What to show for an agent. */
  labelOf(name: string): string {
    return this.#client?.labelOf(name) ?? name
  }

  /** Goes on as the page before this one, if this tab had one. */
  begin(): void {
    this.#token = tokenOfAddress()
    const before = remembered()
    if (!before || this.#token !== undefined) return
    const { client, desk } = this.#open(before, before.available)
    desk.setAvailable(before.available)
    if (!client.restore()) client.join(before.name)
  }

  /** @param token of an agent; empty: joins as a guest of that name */
  join(name: string, token: string): void {
    const given = token === '' ? this.#token : token
    this.#notice = undefined
    this.#open({ name, token: given }, false).client.join(name)
    void this.setAvailable(true)
  }

  leave(): void {
    forget()
    this.#notice = undefined
    if (this.#carries) this.#desk?.current?.hangUp()
    this.#client?.leave()
  }

  /** The microphone is tried first: who cannot speak should not be rung. */
  async setAvailable(available: boolean): Promise<void> {
    if (available) {
      const stream = await this.#microphone('available')
      stopMedia(stream)
      if (!stream) return
    }
    this.#desk?.setAvailable(available)
    if (this.#admission) remember({ ...this.#admission, available })
    this.#changed()
  }

  async take(call: AgentCall): Promise<void> {
    if (this.#preparing || this.#desk?.current) return
    const stream = await this.#microphone(call)
    if (stream) await call.take(stream)
  }

  /** Takes up the call of the page before, or of another device of this agent; without a microphone it is heard at least. */
  async continueHere(call: AgentCall): Promise<void> {
    await call.rejoin(await this.#microphone(call))
  }

  /** Asks whether the customer may be called. */
  check(number: string): Promise<void> {
    return this.#ask(number, (desk) => desk.permission(number))
  }

  /** Asks the customer. */
  requestPermission(): Promise<void> {
    const { number } = this.#outgoing
    return this.#ask(number, (desk) => desk.requestPermission(number))
  }

  setNumber(number: string): void {
    this.#outgoing = { number, permission: undefined, asking: false }
    this.#changed()
  }

  async dial(): Promise<void> {
    if (this.#preparing || this.#desk?.current) return
    const stream = await this.#microphone('dial')
    if (!stream) return
    try {
      this.#desk?.dial(this.#outgoing.number, stream)
    } catch (error) {
      stopMedia(stream)
      this.#problem(error)
    }
  }

  /** Speaks through this microphone from now on, in a call that runs as well. */
  async useMicrophone(id: string): Promise<void> {
    chooseMicrophone(id)
    const call = this.#desk?.current
    if (!call?.localStream) return
    try {
      const stream = await openMicrophone(id)
      await call.switchMicrophone(stream.getAudioTracks()[0])
    } catch (error) {
      this.#problem(error)
    }
  }

  clearHistory(): void {
    this.#history.clear()
    this.#changed()
  }

  dismiss(): void {
    this.#notice = undefined
    this.#changed()
  }

  /** This page has a call, and not another device. */
  get #carries(): boolean {
    const call = this.#desk?.current
    return call !== undefined && !call.restoring
  }

  #open(admission: Admission, available: boolean): { readonly client: HairpinClient; readonly desk: AgentDesk } {
    this.#client?.leave()
    const { token } = admission
    const client = new HairpinClient({ url: this.#url, ...(token === undefined ? {} : { getToken: () => token }) })
    const desk = new AgentDesk(client)
    this.#client = client
    this.#desk = desk
    this.#admission = admission
    remember({ ...admission, available })
    this.#wire(client, desk)
    return { client, desk }
  }

  #wire(client: HairpinClient, desk: AgentDesk): void {
    client.on('state', () => this.#changed())
    client.on('users', () => this.#changed())
    client.on('joined', ({ name, wanted, resumed }) => {
      if (!resumed && wanted !== '' && name !== wanted)
        this.#notice = { tone: 'info', text: `“${wanted}” was taken: you are ${name} here.` }
      this.#changed()
    })
    client.on('retry', () => {
      if (client.connection.state === 'connecting') this.#tell('problem', 'The server does not answer. Trying again…')
    })
    client.on('closed', (info) => this.#closed(info))
    desk.on('agents', () => {
      if (desk.available && this.#isAway) {
        this.#isAway = false
        this.#notice = undefined
      }
      this.#changed()
    })
    desk.on('incoming', (call) => this.#follow(call))
    desk.on('call', (call) => {
      if (call.state !== 'taking') this.#follow(call)
      this.#stats = undefined
      this.#notice = undefined
      call.stats.on('update', (sample) => {
        this.#stats = sample
        this.#changed()
      })
      this.#changed()
    })
    desk.on('restored', (call) => {
      if (carriedCall(call.id)) void this.continueHere(call)
    })
    desk.on('permission', (permission) => this.#permission(permission))
    desk.on('error', (error) => this.#refused(error))
  }

  #follow(call: AgentCall): void {
    const at = Date.now()
    let rangOnly = call.state === 'incoming'
    call.on('state', (state) => {
      if (state === 'taking') rangOnly = false
      this.#changed()
    })
    call.on('change', () => {
      if (call.id !== undefined && call.peerConnection) rememberCall(call.id)
      this.#changed()
    })
    call.on('remote-stream', () => this.#changed())
    call.on('transfer-declined', () => this.#tell('info', 'The other agent did not take the call. It stays here.'))
    call.on('ended', (end) => {
      if (!rangOnly) forgetCall()
      if (!rangOnly || (end.reason !== 'ring-stopped' && end.reason !== 'connection-lost')) {
        this.#history.add(call, at)
        this.#notice = { tone: calm.has(end.reason) ? 'info' : 'problem', text: endText(callerText(call.caller), end) }
      }
      this.#changed()
    })
    this.#changed()
  }

  /** Undefined, with a notice, where there is none. */
  async #microphone(purpose: NonNullable<View['preparing']>): Promise<MediaStream | undefined> {
    this.#preparing = purpose
    this.#changed()
    try {
      return await openMicrophone()
    } catch (error) {
      this.#problem(error)
      return undefined
    } finally {
      this.#preparing = undefined
      this.#changed()
    }
  }

  async #ask(number: string, ask: (desk: AgentDesk) => Promise<CallPermission>): Promise<void> {
    if (!this.#desk) return
    const permission = this.#outgoing.number === number ? this.#outgoing.permission : undefined
    this.#outgoing = { number, permission, asking: true }
    this.#changed()
    try {
      const answer = await ask(this.#desk)
      if (this.#outgoing.number === number) this.#outgoing = { number, permission: answer, asking: false }
    } catch (error) {
      if (this.#outgoing.number === number) this.#outgoing = { number, permission, asking: false }
      this.#problem(error)
    }
    this.#changed()
  }

  /** A customer answered, or another agent asked. */
  #permission(permission: CallPermission): void {
    const { number, permission: known, asking } = this.#outgoing
    const isShown = known !== undefined && number.replace(/\D/g, '') === permission.number
    if (isShown) this.#outgoing = { number, permission, asking }
    else if (permission.event === 'accepted' || permission.event === 'rejected')
      this.#tell('info', `${numberText(permission.number)}: ${permissionText(permission)}`)
    this.#changed()
  }

  #refused({ about, code, message }: AgentRefusal): void {
    if (about === 'agent') {
      this.#isAway = code === 'SIG_DESK_UNAVAILABLE'
      const isGuest = this.#admission?.token === undefined
      if (code === 'SIG_NO_DESK') this.#tell('problem', 'This server brings no customers’ calls; WHATSAPP.md says how.')
      else if (code === 'SIG_AGENT_FORBIDDEN' && isGuest)
        this.#tell('problem', 'Guests take no calls here: leave, and join with a token that the operator gives you.')
      else this.#tell('problem', message)
    } else if (about === 'call-transfer' || about === 'call-hold' || about === 'call-keep')
      this.#tell('problem', message)
  }

  #closed({ error, code }: CloseInfo): void {
    if (code !== 1000) {
      forget()
      this.#notice = { tone: 'problem', text: error?.message ?? 'The server closed the connection.' }
    }
    this.#changed()
  }

  #problem(error: unknown): void {
    const known = error instanceof HairpinError || error instanceof AgentRefusal
    this.#tell('problem', known ? error.message : clientErrors.MEDIA_FAILED)
  }

  #tell(tone: Notice['tone'], text: string): void {
    this.#notice = { tone, text }
    this.#changed()
  }

  #changed(): void {
    this.#view = undefined
    const { call, ringing, preparing } = this.view
    const rings = ringing.length > 0 && !call && preparing === undefined
    this.#ring.play(rings ? 'incoming' : call?.state === 'ringing' ? 'outgoing' : undefined)
    document.title = rings ? `${callerText(ringing[0]?.caller ?? {})} is calling` : this.#title
    for (const listener of this.#listeners) listener()
  }
}

/** Ends that are no trouble. */
const calm: ReadonlySet<string> = new Set([
  'customer-hung-up',
  'agent-hung-up',
  'rejected',
  'declined',
  'no-answer',
  'answered-elsewhere',
  'transferred',
])
