/**
 * TCP sockets on a relayed transport address: one that listens, and others that connect to peers from the same address
 * and port (RFC 6062 section 5.2: "The local endpoint is the relayed transport address").
 *
 * Linux lets a socket be bound beside one that listens only when both have SO_REUSEPORT; SO_REUSEADDR, which libuv always
 * sets, is not enough. Node has that option for `listen`, but not for `connect`. So the socket is bound through its handle
 * in the moment between `connect()`, which makes the handle, and the next tick, which uses it. Connections that are made do
 * not belong to the group of listening sockets: what comes in still goes to the listener alone.
 *
 * SO_REUSEPORT would also let another process of this user listen on the port, and share its connections unnoticed. So it
 * is claimed without the option first.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from '../../core/index.ts'

/** libuv's UV_TCP_IPV6ONLY and UV_TCP_REUSEPORT. */
const IPV6_ONLY = 1
const REUSE_PORT = 2
/** Milliseconds of silence before the kernel asks whether the peer is still there. */
const KEEP_ALIVE = 60_000

/** What is used of Node's own handle of a socket. Both give 0 or a negative system error. */
interface Handle {
  bind(address: string, port: number, flags: number): number
  bind6(address: string, port: number, flags: number): number
}

const OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE } as const

/**
 * Listens on a relayed transport address.
 * @throws the bind error
 */
export async function listenOn(local: Endpoint): Promise<Server> {
  const claim = await listening(local, false)
  claim.close()
  await once(claim, 'close')
  return listening(local, true)
}

/** Connects to the peer from an address that `listenOn` listens on. Fails by the events `error` and `close`, as any socket. */
export function connectFrom(local: Endpoint, peer: Endpoint): Socket {
  const socket = connect({ host: peer.address, port: peer.port, ...OPTIONS })
  const { _handle: handle } = socket as unknown as { _handle: Handle | null }
  const failed =
    local.family === 4
      ? handle?.bind(local.address, local.port, REUSE_PORT)
      : handle?.bind6(local.address, local.port, REUSE_PORT | IPV6_ONLY)
  if (failed !== 0) socket.destroy(new Error(`cannot bind to ${local.address} port ${local.port}`))
  return socket
}

async function listening({ address, port, family }: Endpoint, reusePort: boolean): Promise<Server> {
  const server = createServer(OPTIONS)
  server.listen({ host: address, port, reusePort, exclusive: true, ipv6Only: family === 6 })
  await once(server, 'listening')
  return server
}
