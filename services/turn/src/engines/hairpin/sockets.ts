/** The listening sockets of one worker. */
import { familyOf } from '@hairpin/stun'
import { Discovery, type DiscoveryListener, type Listener } from '../../core/index.ts'
import { ClientSocket } from '../../datapath/client-socket.ts'
import type { DiscoveryAddresses, ServerAddresses } from '../../net/addresses.ts'
import type { StreamBinding } from '../../net/streams/listeners.ts'
import { bindUdp } from '../../net/udp-socket.ts'

/** Bytes asked of the kernel for a listening socket, which all clients of the worker share. */
const LISTEN_BUFFER = 4 * 1024 * 1024

/** The UDP sockets, by `Listener.id`, and what the core makes of those for RFC 5780, if there are any. */
export function listenOnUdp({ listen, port, discovery }: ServerAddresses) {
  const main = listen.map((address, id) => listenOn(id, address, port))
  if (!discovery) return { clients: main, discovery: undefined }
  const { clients, core } = discoveryOf(discovery, main)
  return { clients: [...main, ...clients], discovery: core }
}

export function streamBindings({ listen, tcpPort, tlsPort }: ServerAddresses): StreamBinding[] {
  const bindings: StreamBinding[] = []
  if (tcpPort !== undefined) for (const address of listen) bindings.push({ transport: 'tcp', address, port: tcpPort })
  if (tlsPort !== undefined) for (const address of listen) bindings.push({ transport: 'tls', address, port: tlsPort })
  return bindings
}

/** The second port of both addresses, and what the core makes of the four. */
function discoveryOf({ port, first, second }: DiscoveryAddresses, main: readonly ClientSocket[]) {
  const clients = [first, second].map(({ local }, i) => listenOn(main.length + i, local, port))
  const corner = (sockets: readonly ClientSocket[], { external, local }: typeof first): DiscoveryListener => {
    const { listener } = sockets.find((socket) => socket.listener.local.address === local)!
    return { listener, advertised: { ...listener.local, address: external } }
  }
  const core = new Discovery([
    corner(main, first),
    corner(clients, first),
    corner(main, second),
    corner(clients, second),
  ])
  return { clients, core }
}

function listenOn(id: number, address: string, port: number): ClientSocket {
  const family = familyOf(address)
  const socket = bindUdp({ address, port, family, reusePort: true, bufferSize: LISTEN_BUFFER })
  const listener: Listener = { id, transport: 'udp', local: { address, port, family } }
  return new ClientSocket(listener, socket)
}
