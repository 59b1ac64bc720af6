/** What a server that takes TCP allocations is told. */
export interface TcpRelayOptions {
  /** This worker's number, and how many there are: below 256, at most 256. */
  readonly worker: number
  readonly workers: number
  /** Peer connections of one allocation at a time, whatever their state; beyond it 508, and peers are not let in. */
  readonly maxConnections: number
}
