/** Peer connections that are there to be looked at. */
import type { BindingAnswer, Log, RelayTarget, Transport, Trouble } from '@hairpin/checks'
import { endpointText } from '@hairpin/checks'

/** Milliseconds. */
const GATHER_LIMIT = 5_000
const CONNECT_LIMIT = 12_000

export type IceError = Pick<RTCPeerConnectionIceErrorEvent, 'url' | 'errorCode' | 'errorText'>

export interface Gathered {
  readonly candidates: readonly RTCIceCandidate[]
  readonly errors: readonly IceError[]
  /** The browser said that there are no more. */
  readonly complete: boolean
}

export function relayConfiguration({ url, username, credential }: RelayTarget): RTCConfiguration {
  return { iceServers: [{ urls: url, username, credential }], iceTransportPolicy: 'relay' }
}

/** Gathers until `enough`, until there are no more candidates, or until the time is over. */
export async function gather(
  configuration: RTCConfiguration,
  log: Log,
  enough: (candidate: RTCIceCandidate) => boolean = () => false,
): Promise<Gathered> {
  const connection = new RTCPeerConnection(configuration)
  const candidates: RTCIceCandidate[] = []
  const errors: IceError[] = []
  try {
    const complete = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), GATHER_LIMIT)
      const done = (whole: boolean) => {
        clearTimeout(timer)
        resolve(whole)
      }
      connection.onicecandidate = ({ candidate }) => {
        if (candidate === null || candidate.candidate === '') return done(true)
        candidates.push(candidate)
        log(candidateText(candidate))
        if (enough(candidate)) done(false)
      }
      connection.onicecandidateerror = ({ url, errorCode, errorText }) => {
        errors.push({ url, errorCode, errorText })
        log(`${url}: ${errorCode} ${errorText}`)
      }
    })
    connection.createDataChannel('check')
    await connection.setLocalDescription()
    return { complete: await complete, candidates, errors }
  } finally {
    connection.close()
  }
}

/** Of a browser's errors the one that says most: an answer of the relay before silence. */
export function worstOf(errors: readonly IceError[]): IceError | undefined {
  return errors.find(({ errorCode }) => errorCode !== 701) ?? errors[0]
}

/** Code 701 stands for all that is no answer; the words differ by browser. */
export function troubleIn({ errorText }: IceError): Trouble {
  if (/lookup|resolve|dns/i.test(errorText)) return { kind: 'name', text: errorText }
  if (/tls|ssl|certificate/i.test(errorText)) return { kind: 'tls', text: errorText }
  if (/refused/i.test(errorText)) return { kind: 'refused', text: errorText }
  if (/time/i.test(errorText)) return { kind: 'timeout', text: errorText }
  return { kind: 'unreachable', text: errorText || 'the browser gives no reason' }
}

/** What the server at `url` said of this browser's addresses, one answer for each of its sockets. */
export function bindingsOf(url: string, { candidates, errors, complete }: Gathered): BindingAnswer[] {
  const own = candidates.filter((candidate) => candidate.type === 'srflx' && urlOf(candidate) === url)
  const seen = own.map(({ address, port, relatedAddress, relatedPort }): BindingAnswer => {
    const mapped = endpointText(address ?? '', port ?? 0)
    // Hidden addresses are 0.0.0.0 and port 0 or 9.
    const local = relatedAddress && !/^(0\.0\.0\.0|::)$/.test(relatedAddress) ? relatedAddress : undefined
    return { url, mapped, ...(local && relatedPort ? { local: endpointText(local, relatedPort) } : {}) }
  })
  if (seen.length > 0) return seen
  const error = errors.find((event) => event.url.startsWith(url))
  if (error || !complete) return [{ url, problem: error?.errorText || 'no answer in time' }]
  // Done at once and without an address of its own: a setting or an extension keeps UDP from WebRTC.
  if (!candidates.some(({ type, protocol }) => type === 'host' && protocol === 'udp'))
    return [{ url, problem: 'the browser gives WebRTC no UDP' }]
  return [{ url }]
}

/** Which URL a candidate is of; browsers that do not say are asked with one URL at a time. */
function urlOf(candidate: RTCIceCandidate): string | undefined {
  return (candidate as { url?: string | null }).url ?? undefined
}

/** How a relay candidate's own relay is reached; older browsers say it in the statistics alone. */
export function transportOf(candidate: RTCIceCandidate): Transport | undefined {
  return (candidate as { relayProtocol?: Transport | null }).relayProtocol ?? undefined
}

export interface SelectedPair {
  readonly local: string
  readonly remote: string
  readonly relayProtocol?: Transport
}

export interface Pair {
  readonly first: RTCPeerConnection
  /** Unordered, nothing sent again: as media would go. */
  readonly firstChannel: RTCDataChannel
  readonly secondChannel: RTCDataChannel
  readonly close: () => void
}

/** Two connections of this page, joined by a data channel; undefined when they do not find each other in time. */
export async function connectPair(
  one: RTCConfiguration,
  other: RTCConfiguration,
  log: Log,
  limit = CONNECT_LIMIT,
): Promise<Pair | undefined> {
  const [first, second] = [new RTCPeerConnection(one), new RTCPeerConnection(other)]
  const close = () => {
    first.close()
    second.close()
  }
  try {
    join(first, second, 'first', log)
    join(second, first, 'second', log)
    const firstChannel = first.createDataChannel('check', { ordered: false, maxRetransmits: 0 })
    const arrived = new Promise<RTCDataChannel>((resolve) => {
      second.ondatachannel = ({ channel }) => resolve(channel)
    })
    await first.setLocalDescription()
    await second.setRemoteDescription(first.localDescription!)
    await second.setLocalDescription()
    await first.setRemoteDescription(second.localDescription!)
    const open = new Promise<void>((resolve) => {
      firstChannel.onopen = () => resolve()
    })
    const secondChannel = await beforeLong(limit, Promise.all([arrived, open]))
    if (secondChannel) return { first, firstChannel, secondChannel: secondChannel[0], close }
  } catch (error) {
    log(error instanceof Error ? error.message : String(error))
  }
  close()
  return undefined
}

/** Candidates wait until the other side can take them. */
function join(from: RTCPeerConnection, to: RTCPeerConnection, name: string, log: Log): void {
  const early: RTCIceCandidate[] = []
  const give = (candidate: RTCIceCandidate) => void to.addIceCandidate(candidate).catch(() => {})
  from.onicecandidate = ({ candidate }) => {
    if (!candidate || candidate.candidate === '') return
    log(`${name} peer: ${candidateText(candidate)}`)
    if (to.remoteDescription) give(candidate)
    else early.push(candidate)
  }
  to.addEventListener('signalingstatechange', () => {
    if (to.remoteDescription) for (const candidate of early.splice(0)) give(candidate)
  })
  from.addEventListener('iceconnectionstatechange', () => log(`${name} peer: ${from.iceConnectionState}`))
}

async function beforeLong<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What carries the connection; undefined before ICE has chosen. */
export async function selectedPair(connection: RTCPeerConnection): Promise<SelectedPair | undefined> {
  const report = await connection.getStats()
  // biome-ignore lint/suspicious/noExplicitAny: an entry of a statistics report has the fields of its type
  const entries = [...(report as unknown as Map<string, any>).values()]
  const transport = entries.find(({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId)
  // Firefox marks the pair itself.
  const pair = transport
    ? entries.find(({ id }) => id === transport.selectedCandidatePairId)
    : entries.find(({ type, selected }) => type === 'candidate-pair' && selected)
  const local = entries.find(({ id }) => id === pair?.localCandidateId)
  const remote = entries.find(({ id }) => id === pair?.remoteCandidateId)
  if (!local || !remote) return undefined
  const { relayProtocol } = local
  return { local: local.candidateType, remote: remote.candidateType, ...(relayProtocol ? { relayProtocol } : {}) }
}

function candidateText(candidate: RTCIceCandidate): string {
  const { type, protocol, address, port } = candidate
  const by = transportOf(candidate)
  return `candidate ${type} ${endpointText(address ?? 'hidden', port ?? 0)}/${protocol}${by ? `, relay reached over ${by}` : ''}`
}
