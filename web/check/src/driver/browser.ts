/** The check's driver in a browser: WebSocket, fetch and RTCPeerConnection. */
import {
  type AllocateFacts,
  addressOf,
  type BindingAnswer,
  type CredentialsFacts,
  credentialsIn,
  type DateFacts,
  type Driver,
  endpointText,
  isLocalHost,
  type Log,
  type LoopLink,
  type LoopOpening,
  type PageFacts,
  type PortsFacts,
  type RelayTarget,
  SignalingProbe,
  type SocketFacts,
  type StunFacts,
  type StunTarget,
} from '@hairpin/checks'
import { path, subprotocol } from '@hairpin/protocol/constants'
import {
  bindingsOf,
  connectPair,
  gather,
  type Pair,
  relayConfiguration,
  selectedPair,
  transportOf,
  troubleIn,
  worstOf,
} from './peer.ts'

/** Milliseconds. */
const FETCH_LIMIT = 8_000
const PORTS_LIMIT = 8_000

export class BrowserDriver implements Driver {
  readonly place = 'browser'
  readonly by = navigator.userAgent
  readonly origin = location.origin
  readonly secrets: readonly string[]
  readonly #bearer: string | undefined
  readonly #signaling = new SignalingProbe()
  /** Addresses of this browser as STUN servers see it. */
  #mapped: readonly string[] = []

  /** @param bearer API key or signaling token; undefined: a guest of the demo */
  constructor(bearer: string | undefined) {
    this.#bearer = bearer
    this.secrets = bearer === undefined ? [] : [bearer]
  }

  async page(): Promise<PageFacts> {
    return { secure: window.isSecureContext, microphone: await microphone() }
  }

  socket(log: Log): Promise<SocketFacts> {
    const url = `${this.origin.replace(/^http/, 'ws')}${path}`
    log(`connecting to ${url}`)
    const failed = async (): Promise<SocketFacts> => {
      log('it did not open, and a browser does not say why; asking by plain HTTP')
      const answer = await plain(path).catch(() => undefined)
      if (!answer) return { state: 'trouble', trouble: { kind: 'unreachable', text: 'nothing answers' } }
      log(`GET ${path}: status ${answer.status}`)
      return { state: 'refused', plainStatus: answer.status }
    }
    return this.#signaling.open(new WebSocket(url, [subprotocol]), failed, now, log)
  }

  guestCredentials(log: Log): Promise<CredentialsFacts> {
    return this.#signaling.guestCredentials(now, log)
  }

  async apiCredentials(log: Log): Promise<CredentialsFacts> {
    const from = now()
    const headers = { authorization: `Bearer ${this.#bearer}`, 'content-type': 'application/json' }
    log('POST /api/v1/turn/credentials')
    try {
      const answer = await plain('/api/v1/turn/credentials', { method: 'POST', headers, body: '{}' })
      return credentialsIn(answer.status, await answer.text(), now() - from)
    } catch (error) {
      return { state: 'trouble', trouble: { kind: 'unreachable', text: wordsOf(error) } }
    }
  }

  async date(): Promise<DateFacts> {
    const before = Date.now()
    const answer = await plain('/healthz').catch(() => undefined)
    const server = Date.parse(answer?.headers.get('date') ?? '')
    return Number.isNaN(server) ? { state: 'untold' } : { state: 'told', server, before, after: Date.now() }
  }

  /** One URL at a time, so that silence is of that one. */
  async bindings(targets: readonly StunTarget[], log: Log): Promise<StunFacts> {
    const answers: BindingAnswer[] = []
    for (const { url } of targets) {
      const all = await gather({ iceServers: [{ urls: url }] }, log)
      answers.push(...bindingsOf(url, all))
    }
    this.#mapped = answers.flatMap(({ mapped }) => (mapped === undefined ? [] : [addressOf(mapped)]))
    return { answers }
  }

  async addressesOf(): Promise<undefined> {
    return undefined
  }

  async allocate(target: RelayTarget, log: Log): Promise<AllocateFacts> {
    const from = now()
    const isRelayed = (candidate: RTCIceCandidate) => candidate.type === 'relay'
    const { candidates, errors } = await gather(relayConfiguration(target), log, isRelayed)
    const relayed = candidates.find(isRelayed)
    if (relayed) {
      // A browser that does not tell is believed: it was given this one URL.
      const transport = transportOf(relayed) ?? target.transport
      const endpoint = endpointText(relayed.address ?? 'hidden', relayed.port ?? 0)
      return { state: 'allocated', ms: now() - from, transport, relayed: endpoint }
    }
    const error = worstOf(errors)
    if (error && error.errorCode >= 300 && error.errorCode < 700)
      return { state: 'refused', code: error.errorCode, reason: error.errorText }
    if (error) return { state: 'trouble', trouble: troubleIn(error) }
    return { state: 'trouble', trouble: { kind: 'timeout', text: 'no answer in time' } }
  }

  async loop(target: RelayTarget, log: Log): Promise<LoopOpening> {
    const configuration = relayConfiguration(target)
    const pair = await connectPair(configuration, configuration, log)
    if (!pair) return { state: 'trouble', trouble: { kind: 'timeout', text: 'the two peers did not connect' } }
    const selected = await selectedPair(pair.first)
    log(`carried by ${selected?.local} to ${selected?.remote}, relay reached over ${selected?.relayProtocol ?? '?'}`)
    return { state: 'open', link: linkOf(pair), transport: selected?.relayProtocol ?? target.transport }
  }

  async ports(target: RelayTarget, log: Log): Promise<PortsFacts> {
    const local = this.#mapped.find((address) => isLocalHost(address) || address === target.host)
    if (local !== undefined) return { state: 'denied', address: local }
    if (this.#mapped.length === 0 && isLocalHost(target.host)) return { state: 'denied' }
    const from = now()
    const stun = { iceServers: [{ urls: `stun:${endpointText(target.host, target.port)}` }] }
    const pair = await connectPair(relayConfiguration(target), stun, log, PORTS_LIMIT)
    if (!pair) return { state: 'silent' }
    pair.close()
    return { state: 'heard', ms: now() - from }
  }

  close(): void {
    this.#signaling.close()
  }
}

function linkOf({ firstChannel, secondChannel, close }: Pair): LoopLink {
  const link: LoopLink = {
    forward: (packet) => sendOn(firstChannel, packet),
    back: (packet) => sendOn(secondChannel, packet),
    onForward: undefined,
    onBack: undefined,
    close,
  }
  firstChannel.binaryType = secondChannel.binaryType = 'arraybuffer'
  secondChannel.onmessage = ({ data }) => link.onForward?.(new Uint8Array(data as ArrayBuffer))
  firstChannel.onmessage = ({ data }) => link.onBack?.(new Uint8Array(data as ArrayBuffer))
  return link
}

/** What a closed channel does not take is lost, as a packet is. */
function sendOn(channel: RTCDataChannel, packet: Uint8Array): void {
  if (channel.readyState === 'open') channel.send(packet as Uint8Array<ArrayBuffer>)
}

/** Without opening it: nobody is asked for anything. */
async function microphone(): Promise<PageFacts['microphone']> {
  if (!navigator.mediaDevices) return 'unsupported'
  const query = navigator.permissions?.query({ name: 'microphone' as PermissionName })
  if ((await query?.catch(() => undefined))?.state === 'denied') return 'denied'
  const devices = await navigator.mediaDevices.enumerateDevices()
  return devices.some(({ kind }) => kind === 'audioinput') ? 'available' : 'none'
}

/** To the page's own server. */
function plain(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(FETCH_LIMIT) })
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function now(): number {
  return performance.now()
}
