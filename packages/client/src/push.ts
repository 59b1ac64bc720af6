import type { ClientMessage, ServerMessage } from '@hairpin/protocol'
import { Emitter } from './emitter.ts'
import { HairpinError } from './errors.ts'

export type PushEndpoint = Extract<ClientMessage, { type: 'push-register' }>['endpoint']
export type PushKeys = Omit<Extract<ServerMessage, { type: 'push-keys' }>, 'type' | 'seq'>

type Request = Extract<ClientMessage, { type: 'push-keys' | 'push-register' | 'push-unregister' }>

/** The parts of a service worker's registration that are used. */
export interface PushSource {
  readonly pushManager: Pick<PushManager, 'getSubscription' | 'subscribe'>
}

/** Where this device is woken when a call comes and nobody of its user is connected. */
export class Push extends Emitter<{ request: [Request] }> {
  #keys: ((keys: PushKeys) => void)[] = []
  #registered: ((address: string) => void)[] = []
  #failed: ((error: HairpinError) => void)[] = []

  /** What the server can send. */
  async keys(): Promise<PushKeys> {
    return this.#ask({ type: 'push-keys' }, this.#keys)
  }

  /** Registers an endpoint of any kind; React Native apps bring their FCM or VoIP token. Gives its address. */
  async register(endpoint: PushEndpoint): Promise<string> {
    return this.#ask({ type: 'push-register', endpoint }, this.#registered)
  }

  unregister(address: string): void {
    this.emit('request', { type: 'push-unregister', address })
  }

  /**
   * Subscribes this browser (which asks its user for the permission) and registers the subscription. A subscription that
   * was made for another key of the server is made anew.
   * @returns the address; undefined where the server sends no Web Push
   */
  async registerBrowser({ pushManager }: PushSource): Promise<string | undefined> {
    const { vapid } = await this.keys()
    if (vapid === undefined) return undefined
    const key = bytesOf(vapid)
    let subscription = await pushManager.getSubscription()
    if (subscription && !sameBytes(subscription.options.applicationServerKey, key)) {
      await subscription.unsubscribe()
      subscription = null
    }
    subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
    const { endpoint, keys: { p256dh = '', auth = '' } = {} } = subscription.toJSON()
    return this.register({ kind: 'web', address: endpoint ?? '', p256dh, auth })
  }

  handle(message: ServerMessage): void {
    if (message.type === 'push-keys') {
      const { type: _type, seq: _seq, ...keys } = message
      for (const done of this.#keys.splice(0)) done(keys)
    } else if (message.type === 'push-registered') this.#registered.shift()?.(message.address)
    else if (message.type === 'error' && message.about?.startsWith('push-')) this.#fail()
  }

  /** There is no session any more to answer. */
  handleSignalingLost(): void {
    this.#fail()
  }

  #ask<T>(request: Request, waiting: ((answer: T) => void)[]): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.push(resolve)
      this.#failed.push(reject)
      this.emit('request', request)
    })
  }

  #fail(): void {
    this.#keys = []
    this.#registered = []
    // To those that were answered it means nothing.
    for (const fail of this.#failed.splice(0)) fail(new HairpinError('PUSH_REFUSED'))
  }
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

function sameBytes(buffer: ArrayBuffer | null, bytes: Uint8Array): boolean {
  return buffer !== null && new Uint8Array(buffer).join() === bytes.join()
}
