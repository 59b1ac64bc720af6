import type { IceServer } from '../../helpers/relay-process.ts'

/** What two peers of one client are to do: one sends messages over a data channel, the other sends them back. */
export interface PeersTask {
  /** With one URL. */
  readonly iceServers: readonly IceServer[]
  readonly messages: number
  /** Characters of each. */
  readonly size: number
}

export interface PeersReport {
  /** Types of the candidates in use. */
  readonly candidates: readonly string[]
  /** Messages that came back as they went, in order. */
  readonly echoed: number
}

export type Peers = (task: PeersTask) => Promise<PeersReport>
