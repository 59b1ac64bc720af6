/** Types of the sans-IO TURN core. Addresses are textual (canonical, lower case), as sockets give and take them. */

export interface Endpoint {
  readonly address: string
  readonly port: number
  readonly family: 4 | 6
}

/** A listening socket of the worker as the core sees it: an id, its transport and its local address. */
export interface Listener {
  readonly id: number
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly local: Endpoint
}

/**
 * What the core asks of its driver. Performed in order.
 * - `send`: bytes to a client, out of the listener it spoke to.
 * - `openRelay`: bind a UDP socket of `family` on `port`; answer with `relayOpened` or `relayFailed`.
 * - `closeRelay`: close that socket; the allocation is gone.
 * - `relay`: payload of a Send indication to a permitted peer (the core has checked the permission).
 * - `channelBound`, `channelUnbound`, `permitted`, `forbidden`: hooks for data paths that keep tables of their own
 *   outside this process; the dgram path reads the allocation directly and ignores them.
 * - `ignore`: the datagram was dropped; count it by reason.
 */
export type Output =
  | { readonly type: 'send'; readonly listener: Listener; readonly to: Endpoint; readonly bytes: Uint8Array }
  | { readonly type: 'openRelay'; readonly allocation: number; readonly family: 4 | 6; readonly port: number }
  | { readonly type: 'closeRelay'; readonly allocation: number; readonly reason: CloseReason }
  | { readonly type: 'relay'; readonly allocation: number; readonly peer: Endpoint; readonly payload: Uint8Array }
  | { readonly type: 'channelBound'; readonly allocation: number; readonly channel: number; readonly peer: Endpoint }
  | { readonly type: 'channelUnbound'; readonly allocation: number; readonly channel: number; readonly peer: Endpoint }
  | { readonly type: 'permitted'; readonly allocation: number; readonly address: string }
  | { readonly type: 'forbidden'; readonly allocation: number; readonly address: string }
  | { readonly type: 'ignore'; readonly reason: DropReason }

export type CloseReason = 'expired' | 'deleted' | 'closed' | 'relay-failed' | 'shutdown'

/** Label values of `hairpin_dropped_total{reason}`; extend here, nowhere else. */
export type DropReason =
  | 'malformed'
  | 'not-stun'
  | 'unknown-method'
  | 'fingerprint'
  | 'no-allocation'
  | 'no-permission'
  | 'no-channel'
  | 'peer-denied'
  | 'pending'
  | 'send-failed'
  | 'rate-limited'
