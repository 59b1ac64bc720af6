import { Outlet } from './outlet.ts'
import type { StreamClient } from './stream-client.ts'

/** A relayed transport address's socket, kept at `allocation.attachment`, and what only the data path can count. */
export class RelaySocket extends Outlet {
  /** Sent to relayed addresses of this host: never on the wire. */
  ownBytes = 0
  ownPackets = 0
  /** Bytes of Data indications beyond what ChannelData would have taken for the same payload, and padding on streams. */
  indicationExtra = 0
  /** The client's connection; undefined for a client over UDP, which the data path sends to by its address. */
  stream: StreamClient | undefined = undefined
}
