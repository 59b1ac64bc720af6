import {
  type Call,
  type CallEndReason,
  type CallStatsSample,
  type ClientErrorCode,
  type CloseInfo,
  clientErrors,
  HairpinClient,
  HairpinError,
  openMedia,
  type Room,
  type SignalingState,
  stopMedia,
} from '@hairpin/client'
import { endText, gaveUpUnconnected } from '../format.ts'
import { Chat } from './chat.ts'
import { addressOf, freshRoom, invitedRoom } from './invitation.ts'
import { Ring } from './ring.ts'
import { canRing, ringingName, ringWhenClosed, stopRinging } from './wake.ts'

export interface Notice {
  readonly tone: 'info' | 'problem'
  readonly text: string
  /** The connectivity check may say why. */
  readonly check?: boolean
}

/** Camera or microphone could not be had; the user decides how to go on. */
export interface MediaQuestion {
  readonly code: ClientErrorCode
  readonly peer: string
  readonly answer: (choice: 'retry' | 'without' | 'cancel') => void
}

export interface View {
  readonly connection: SignalingState
  readonly name: string | undefined
  readonly others: readonly string[]
  readonly call: Call | undefined
  readonly room: Room | undefined
  /** Of the call or room. */
  readonly chat: Chat | undefined
  /** What the camera is being opened for: who is called, or a room. */
  readonly preparing: string | undefined
  readonly stats: CallStatsSample | undefined
  readonly notice: Notice | undefined
  readonly question: MediaQuestion | undefined
  readonly relayOnly: boolean
  /** This browser rings for this name while the page is closed; undefined: it cannot. */
  readonly rings: boolean | undefined
}

/** Why the browser gives no camera here, before anybody asks for it. */
export function mediaObstacle(): ClientErrorCode | undefined {
  if (typeof RTCPeerConnection === 'undefined') return 'WEBRTC_UNSUPPORTED'
  return navigator.mediaDevices ? undefined : 'MEDIA_INSECURE_CONTEXT'
}

/** Ends of calls that are nobody's fault. */
const calm: readonly CallEndReason[] = ['hang-up', 'cancelled', 'rejected', 'answered-elsewhere', 'no-answer']
/** Ends that the network brought about. */
const pathless: readonly CallEndReason[] = ['connect-failed', 'connection-lost']

/** What the page shows and what its buttons do; the views read `view` and call the verbs. */
export class Session {
  readonly client: HairpinClient
  readonly #listeners = new Set<() => void>()
  #preparing: string | undefined
  /** Calls so far, in either direction. */
  #calls = 0
  #shown: Call | undefined
  #stats: CallStatsSample | undefined
  #room: Room | undefined
  #chat: Chat | undefined
  #notice: Notice | undefined
  #question: MediaQuestion | undefined
  #view: View | undefined
  readonly #ring = new Ring()

  constructor(url: string) {
    this.client = new HairpinClient({ url })
    const { client } = this
    client.on('state', () => this.#changed())
    client.on('users', () => this.#changed())
    client.on('joined', ({ name, wanted, resumed, reloaded }) => {
      if (!resumed || reloaded) void this.#enterInvited()
      if (resumed) return
      // The address may have changed, and the server may be another one.
      if (ringingName() === name) void ringWhenClosed(client).catch(() => undefined)
      if (this.#notice?.tone === 'problem') this.#notice = undefined
      if (name !== wanted) this.#notice = { tone: 'info', text: `“${wanted}” was taken: you are ${name} here.` }
      this.#changed()
    })
    client.on('retry', () => {
      if (client.connection.state === 'connecting')
        this.#notice = { tone: 'problem', text: 'The server does not answer. Trying again…' }
      this.#changed()
    })
    client.on('closed', (info) => this.#closed(info))
    client.on('call', (call) => this.#follow(call))
    client.on('missed', ({ name, date }) => {
      const at = new Date(date).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
      this.#notice = { tone: 'info', text: `${name} called at ${at}.` }
      this.#changed()
    })
    client.on('restored', (call) => void this.#rejoin(call))
    addEventListener('online', () => client.checkNow())
    // A page that is loaded anew during a call goes on with it; the name of one that is closed is free soon.
    addEventListener('pagehide', () => {
      if (!client.currentCall && !client.room) client.leave()
    })
  }

  get view(): View {
    const { client } = this
    this.#view ??= {
      connection: client.connection.state,
      name: client.name,
      others: client.users.filter((user) => user !== client.name),
      call: this.#shown,
      room: this.#room,
      chat: this.#chat,
      preparing: this.#preparing,
      stats: this.#stats,
      notice: this.#notice,
      question: this.#question,
      relayOnly: client.relayOnly,
      rings: canRing() ? client.name !== undefined && ringingName() === client.name : undefined,
    }
    return this.#view
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Goes on where the page before this one was, when that was in a call; or as the one whom a notification is for. */
  begin(): void {
    const called = new URLSearchParams(location.search).get('as')
    if (called !== null) history.replaceState(null, '', '/')
    if (!this.client.restore() && called) this.join(called)
  }

  async setRing(on: boolean): Promise<void> {
    const done = on ? await ringWhenClosed(this.client).catch(() => false) : await stopRinging(this.client)
    if (done === false) this.#notice = { tone: 'problem', text: 'This browser does not allow it.' }
    this.#changed()
  }

  join(name: string): void {
    this.#notice = undefined
    this.client.join(name)
  }

  leave(): void {
    this.#notice = undefined
    this.client.leave()
  }

  /** @param video with the camera on; it can be turned on later too */
  async call(peer: string, video = true): Promise<void> {
    if (this.#preparing || this.client.currentCall || this.client.room) return
    this.#notice = undefined
    const before = this.#calls
    const media = await this.#media(peer, video)
    if (media === 'cancelled') return
    // While the camera opened, the server may have gone, the same person may have called, or somebody else.
    const current = this.client.calls.current
    if (current?.peer === peer && current.state === 'incoming') await current.accept(media)
    else if (!current && before === this.#calls && this.client.connection.state === 'joined')
      this.client.call(peer, media)
    else stopMedia(media)
  }

  async accept(call: Call, video = true): Promise<void> {
    const media = await this.#media(call.peer, video)
    if (media === 'cancelled') call.decline()
    else if (call.state === 'incoming') await call.accept(media)
    else stopMedia(media)
  }

  async #rejoin(call: Call): Promise<void> {
    const media = await this.#media(call.peer)
    if (media === 'cancelled') call.hangUp()
    else if (call.state === 'ended') stopMedia(media)
    else await call.rejoin(media)
  }

  get invited(): boolean {
    return invitedRoom(location.search) !== undefined
  }

  /** Opens a room of its own; the page's address becomes the invitation. */
  async openRoom(): Promise<void> {
    history.replaceState(null, '', addressOf(location.href, freshRoom()))
    await this.#enterInvited()
  }

  leaveRoom(): void {
    history.replaceState(null, '', addressOf(location.href, undefined))
    this.client.room?.leave()
  }

  linkTo(room: string): string {
    return addressOf(location.href, room)
  }

  async #enterInvited(): Promise<void> {
    const name = invitedRoom(location.search)
    if (name === undefined || this.#preparing || this.client.currentCall || this.client.room) return
    const media = await this.#media('the others in the room')
    const free = !this.client.currentCall && !this.client.room && this.client.connection.state === 'joined'
    if (media === 'cancelled' || !free) return stopMedia(media === 'cancelled' ? undefined : media)
    const room = this.client.enterRoom(name, media)
    this.#room = room
    this.#openChat(room)
    for (const event of ['state', 'members', 'media'] as const) room.on(event, () => this.#changed())
    room.on('left', ({ code }) => {
      this.#room = undefined
      this.#closeChat()
      if (code !== 'left')
        this.#notice = {
          tone: 'problem',
          text: code === 'SIG_ROOM_FULL' ? 'The room is full.' : 'The room was closed.',
        }
      this.#changed()
    })
    this.#changed()
  }

  #openChat(partner: string | Room): void {
    this.#chat?.close()
    this.#chat = new Chat(this.client, partner, () => this.#changed())
  }

  #closeChat(): void {
    this.#chat?.close()
    this.#chat = undefined
  }

  /** For the next call: a running one keeps the path it has. */
  setRelayOnly(relayOnly: boolean): void {
    this.client.relayOnly = relayOnly
    this.#changed()
  }

  /** A camera or microphone that is turned on during a call could not be had. */
  deviceFailed(error: unknown): void {
    const code = error instanceof HairpinError ? error.code : 'MEDIA_FAILED'
    this.#notice = { tone: 'problem', text: clientErrors[code] }
    this.#changed()
  }

  dismiss(): void {
    this.#notice = undefined
    this.#changed()
  }

  /** Opens what there is; asks when it is refused. Without any device the call is receive-only. */
  async #media(peer: string, video = true): Promise<MediaStream | undefined | 'cancelled'> {
    this.#preparing = peer
    this.#changed()
    try {
      for (;;) {
        try {
          const { stream, missing } = await openMedia(navigator.mediaDevices, { audio: true, video })
          if (missing.includes('video')) this.#notice = { tone: 'info', text: 'No camera: the others hear you only.' }
          if (missing.includes('audio'))
            this.#notice = { tone: 'info', text: 'No microphone: the others see you only.' }
          return stream
        } catch (error) {
          const code = error instanceof HairpinError ? error.code : 'MEDIA_FAILED'
          if (code === 'MEDIA_NOT_FOUND' || code === 'MEDIA_INSECURE_CONTEXT') {
            this.#notice = { tone: 'info', text: `${clientErrors[code]} You can see and hear the other side only.` }
            return undefined
          }
          const choice = await this.#ask(code, peer)
          if (choice !== 'retry') return choice === 'without' ? undefined : 'cancelled'
        }
      }
    } finally {
      this.#preparing = undefined
      this.#changed()
    }
  }

  #ask(code: ClientErrorCode, peer: string): Promise<'retry' | 'without' | 'cancel'> {
    return new Promise((resolve) => {
      const answer: MediaQuestion['answer'] = (choice) => {
        this.#question = undefined
        this.#changed()
        resolve(choice)
      }
      this.#question = { code, peer, answer }
      this.#changed()
    })
  }

  #follow(call: Call): void {
    this.#calls++
    this.#shown = call
    this.#stats = undefined
    this.#openChat(call.peer)
    call.on('state', () => this.#changed())
    call.on('media', () => this.#changed())
    call.on('remote-stream', () => this.#changed())
    call.stats.on('update', (sample) => {
      if (this.#shown === call) this.#stats = sample
      this.#changed()
    })
    call.on('ended', (end) => {
      if (this.#shown === call) {
        this.#shown = undefined
        this.#closeChat()
      }
      this.#notice = {
        tone: calm.includes(end.reason) ? 'info' : 'problem',
        text: endText(call, end),
        check: pathless.includes(end.reason) || gaveUpUnconnected(call, end),
      }
      if (this.#question) this.#question.answer('cancel')
      this.#changed()
    })
    this.#changed()
  }

  #closed({ error, code }: CloseInfo): void {
    if (code !== 1000) this.#notice = { tone: 'problem', text: error?.message ?? 'The server closed the connection.' }
    this.#changed()
  }

  #changed(): void {
    this.#view = undefined
    const state = this.#shown?.state
    this.#ring.play(state === 'incoming' ? 'incoming' : state === 'ringing' ? 'outgoing' : undefined)
    for (const listener of this.#listeners) listener()
  }
}
