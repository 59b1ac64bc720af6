/** The path a call takes, best to dearest. */
export type PathKind = 'host' | 'srflx' | 'prflx' | 'relay'

export interface SelectedPair {
  /** The dearer of the two ends: a call is relayed when either side's candidate is. */
  readonly kind: PathKind
  readonly localKind: PathKind
  readonly remoteKind: PathKind
  /** Between the two candidates. Across a TURN server that is UDP even when the client reaches the server by TCP. */
  readonly protocol: 'udp' | 'tcp'
  /** How this side reaches its TURN server; undefined when its own candidate is not relayed. */
  readonly relayProtocol?: 'udp' | 'tcp' | 'tls'
  /** Seconds, as WebRTC reports it. */
  readonly roundTripTime?: number
}

/** A report as `RTCPeerConnection.getStats()` gives it; also what a plain Map of the same entries satisfies. */
export interface StatsReport {
  get(id: string): StatsEntry | undefined
  forEach(callback: (entry: StatsEntry) => void): void
}

export type StatsEntry = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string }

const rank: readonly string[] = ['host', 'srflx', 'prflx', 'relay']

/**
 * The candidate pair that carries the media (webrtc-stats, RTCTransportStats.selectedCandidatePairId). Engines without
 * transport statistics mark the pair itself: `selected` in Firefox, else nominated and succeeded.
 */
export function selectedPairEntry(report: StatsReport): StatsEntry | undefined {
  let fromTransport: StatsEntry | undefined
  let marked: StatsEntry | undefined
  report.forEach((entry) => {
    if (entry.type === 'transport' && typeof entry.selectedCandidatePairId === 'string')
      fromTransport ??= report.get(entry.selectedCandidatePairId)
    if (entry.type !== 'candidate-pair') return
    if (entry.selected === true) marked = entry
    else if (!marked && entry.nominated === true && entry.state === 'succeeded') marked = entry
  })
  return fromTransport ?? marked
}

export function readSelectedPair(report: StatsReport): SelectedPair | undefined {
  const pair = selectedPairEntry(report)
  if (!pair) return undefined
  const local = report.get(pair.localCandidateId as string)
  const remote = report.get(pair.remoteCandidateId as string)
  if (!local || !remote) return undefined
  const localKind = kindOf(local)
  const remoteKind = kindOf(remote)
  return {
    kind: rank.indexOf(localKind) >= rank.indexOf(remoteKind) ? localKind : remoteKind,
    localKind,
    remoteKind,
    protocol: local.protocol === 'tcp' ? 'tcp' : 'udp',
    ...(localKind === 'relay' ? { relayProtocol: relayProtocolOf(local) } : {}),
    ...(typeof pair.currentRoundTripTime === 'number' ? { roundTripTime: pair.currentRoundTripTime } : {}),
  }
}

function kindOf(candidate: StatsEntry): PathKind {
  const type = candidate.candidateType as string
  return rank.includes(type) ? (type as PathKind) : 'host'
}

function relayProtocolOf(candidate: StatsEntry): 'udp' | 'tcp' | 'tls' {
  const protocol = candidate.relayProtocol
  return protocol === 'tcp' || protocol === 'tls' ? protocol : 'udp'
}
