/** Allocations as an operator sees them. */
import type { Allocation } from '../../core/index.ts'
import { prefix, readPrefix } from '../../core/source-prefix.ts'
import type { AllocationInfo } from '../../engine.ts'

/** @param peers with full addresses of the client and the peers */
export function describe(allocation: Allocation, id: string, peers: boolean): AllocationInfo {
  const { client, listener, username, principal, relays } = allocation
  return {
    id,
    app: principal.app,
    user: principal.user,
    username,
    transport: listener.transport,
    relayTransport: allocation.relayTransport,
    client: peers ? endpoint(client) : network(client.address),
    relayed: relays.map(({ advertised }) => endpoint(advertised)),
    createdAt: time(allocation.createdAt),
    expiresAt: time(allocation.expiresAt),
    credentialExpiresAt: time(allocation.credentialExpiresAt),
    permissions: allocation.permissions.size,
    channels: allocation.channelCount,
    connections: allocation.connections.size,
    clientToPeer: { bytes: allocation.clientToPeerBytes, packets: allocation.clientToPeerPackets },
    peerToClient: { bytes: allocation.peerToClientBytes, packets: allocation.peerToClientPackets },
    ...(peers && {
      peers: {
        permissions: [...allocation.permissions.keys()],
        connections: [...allocation.connections].map(({ peer, state }) => ({ peer: endpoint(peer), state })),
        channels: [...allocation.channels].map(({ number, peer }) => ({ number, peer: endpoint(peer) })),
      },
    }),
  }
}

function time(milliseconds: number): string | null {
  return milliseconds < 8.64e15 ? new Date(milliseconds).toISOString() : null
}

function endpoint({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** The /24 or /48. */
function network(address: string): string {
  const family = readPrefix(address, 24, 48)
  const [first = 0, second = 0] = prefix
  if (family === 4) return `${first >>> 24}.${(first >>> 16) & 255}.${(first >>> 8) & 255}.0/24`
  return `${(first >>> 16).toString(16)}:${(first & 0xffff).toString(16)}:${(second >>> 16).toString(16)}::/48`
}
