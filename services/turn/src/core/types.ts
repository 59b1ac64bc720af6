/** What goes in and out of the sans-IO TURN core. Addresses are textual (canonical, lower case), as sockets give and take them. */
import type { Endpoint } from '@hairpin/stun'

export type { Endpoint } from '@hairpin/stun'

/**
 * A listening socket of the worker as the core sees it: its transport, its local address, and an id that is a small
 * integer, unique in the worker (0, 1, 2…): the allocation table is indexed by it.
 */
export interface Listener {
  readonly id: number
  readonly transport: ClientTransport
  readonly local: Endpoint
}

export type ClientTransport = 'udp' | 'tcp' | 'tls'

/**
 * What the core asks of its driver. Perform in order.
 * - `send`: bytes to a client, out of the listener it spoke to.
 * - `openRelay`: bind a UDP socket of `family` on `port`, or where the allocation's `relayTransport` is TCP listen there;
 *   answer once with `server.relayOpened` or `server.relayFailed`.
 * - `closeRelay`: close that socket, also when it is still opening (then do not answer). The port is already back in the pool.
 * - `connectPeer` (TCP allocations, as the following): connect the relayed address to the peer; answer once with
 *   `server.peerConnected` or `server.peerClosed`.
 * - `closePeer`: close the connection with the peer, also while it is opening, and the client data connection bound to it;
 *   do not answer.
 * - `bindConnection`: the client's connection is the data connection of that peer from here on; what it sends next is for
 *   the peer, and what the peer has sent is for it. The core knows its five-tuple no more. `server.peerClosed` when either
 *   ends, once the other is closed too.
 * - `handOver`: the client's connection, beginning with this request, belongs to another worker.
 * - `relay`: payload of a Send indication to a permitted peer (the core has checked the permission; the driver counts it).
 *   `payload` is a view on the received datagram.
 * - `channelBound`, `channelUnbound`, `permitted`, `forbidden`: hooks for data paths that keep tables of their own
 *   outside this process; the dgram path reads the allocation directly and ignores them. They are also sent for every
 *   refresh (`channelBound`, `permitted`) and, when an allocation ends, before its `closeRelay`.
 * - `reached`, `left`: the client may be found at this five-tuple from now on, or no longer: its connection, if it is one,
 *   has an allocation, or has none. `moved`: what is for the client goes to the allocation's `listener` and `client`, which
 *   have changed (RFC 8016). None of them is sent for the five-tuple that an allocation begins or ends with.
 * - `ignore`: the datagram was dropped; count it by reason.
 */
export type Output =
  | { readonly type: 'send'; readonly listener: Listener; readonly to: Endpoint; readonly bytes: Uint8Array }
  | { readonly type: 'openRelay'; readonly allocation: number; readonly family: 4 | 6; readonly port: number }
  | {
      readonly type: 'closeRelay'
      readonly allocation: number
      readonly family: 4 | 6
      readonly port: number
      readonly reason: CloseReason
    }
  | { readonly type: 'connectPeer'; readonly allocation: number; readonly connection: number; readonly peer: Endpoint }
  | { readonly type: 'closePeer'; readonly connection: number }
  | {
      readonly type: 'bindConnection'
      readonly connection: number
      readonly listener: Listener
      readonly from: Endpoint
    }
  | {
      readonly type: 'handOver'
      readonly worker: number
      readonly listener: Listener
      readonly from: Endpoint
      readonly request: Uint8Array
    }
  | { readonly type: 'relay'; readonly allocation: number; readonly peer: Endpoint; readonly payload: Uint8Array }
  | { readonly type: 'channelBound'; readonly allocation: number; readonly channel: number; readonly peer: Endpoint }
  | { readonly type: 'channelUnbound'; readonly allocation: number; readonly channel: number; readonly peer: Endpoint }
  | { readonly type: 'permitted'; readonly allocation: number; readonly address: string }
  | { readonly type: 'forbidden'; readonly allocation: number; readonly address: string }
  | { readonly type: 'reached'; readonly listener: Listener; readonly client: Endpoint }
  | { readonly type: 'left'; readonly listener: Listener; readonly client: Endpoint }
  | { readonly type: 'moved'; readonly allocation: number }
  | { readonly type: 'ignore'; readonly reason: DropReason }

/**
 * Why an allocation ended: its lifetime ran out, the client deleted it (Refresh 0), its connection closed, an operator or
 * policy closed it, no relay socket could be opened, the server shuts down, its credential was revoked, or its credential
 * expired and the policy ends allocations then.
 */
export type CloseReason =
  | 'expired'
  | 'deleted'
  | 'disconnected'
  | 'closed'
  | 'relay-failed'
  | 'shutdown'
  | 'revoked'
  | 'credential-expired'

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
  | 'bandwidth'
  | 'credit'
  | 'backpressure'
  | 'connection-limit'
  | 'handover'
