import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { type Config, ConfigError } from '@hairpin/config'
import { familyOf } from '@hairpin/stun'
import type { ClientTransport } from '../core/index.ts'
import type { ServerAddresses } from './addresses.ts'
import { bindUdp } from './udp-socket.ts'

/** The relay cannot listen. `code` is stable: TURN_PORT_IN_USE, TURN_PORT_FORBIDDEN, TURN_ADDRESS_UNAVAILABLE, TURN_LISTEN_FAILED. */
export class ListenError extends ConfigError {
  readonly code: string
  readonly port: number

  /** @param systemCode EADDRINUSE and the like */
  constructor(port: number, systemCode: string | undefined, detail: string, transport: ClientTransport = 'udp') {
    const [variable, code, advice] = explain(systemCode, port, transport)
    super(variable, `${advice} (${detail})`)
    this.name = 'ListenError'
    this.code = code
    this.port = port
  }
}

function explain(
  systemCode: string | undefined,
  port: number,
  transport: ClientTransport,
): [variable: string, code: string, advice: string] {
  const variable = transport === 'tls' ? 'HAIRPIN_TURNS_PORT' : 'HAIRPIN_TURN_PORT'
  const protocol = transport === 'udp' ? 'UDP' : 'TCP'
  switch (systemCode) {
    case 'EADDRINUSE':
      return [variable, 'TURN_PORT_IN_USE', `${protocol} port ${port} is taken; stop the other server or set another`]
    case 'EACCES':
      return [variable, 'TURN_PORT_FORBIDDEN', `this user may not listen on port ${port}`]
    case 'EADDRNOTAVAIL':
      return ['HAIRPIN_LISTEN_IPS', 'TURN_ADDRESS_UNAVAILABLE', 'an address is not one of this host']
    default:
      return [variable, 'TURN_LISTEN_FAILED', `cannot listen on ${protocol} port ${port}`]
  }
}

/**
 * Makes sure that the port is ours alone before the workers share it with SO_REUSEPORT: with that option a second
 * server of the same user would be let in, and the two would share each other's clients.
 * @param port 0 takes any port that is free on all addresses
 * @returns the port
 * @throws ListenError
 */
export function claimPort(addresses: readonly string[], port: number): number {
  const attempts = port === 0 ? 20 : 1
  for (let attempt = 1; ; attempt++) {
    try {
      return tryPort(addresses, port)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (attempt >= attempts || code !== 'EADDRINUSE') throw new ListenError(port, code, message)
    }
  }
}

/**
 * The same for a TCP port; `transport` says which variable names it.
 * @throws ListenError
 */
export async function claimTcpPort(
  addresses: readonly string[],
  port: number,
  transport: 'tcp' | 'tls',
): Promise<number> {
  let chosen = port
  const servers: Server[] = []
  try {
    for (const address of addresses) {
      const server = createServer()
      servers.push(server)
      server.listen({ host: address, port: chosen, exclusive: true, ipv6Only: familyOf(address) === 6 })
      await once(server, 'listening')
      chosen = (server.address() as AddressInfo).port
    }
    return chosen
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ListenError(port, code, message, transport)
  } finally {
    for (const server of servers) if (server.listening) await new Promise((closed) => server.close(closed))
  }
}

/**
 * Claims the port of STUN and TURN for UDP and TCP both.
 * @param port 0 takes any that is free for both
 * @throws ListenError
 */
export async function claimSharedPort(addresses: readonly string[], port: number): Promise<number> {
  const attempts = port === 0 ? 20 : 1
  for (let attempt = 1; ; attempt++) {
    try {
      return await claimTcpPort(addresses, claimPort(addresses, port), 'tcp')
    } catch (error) {
      if (attempt >= attempts) throw error
    }
  }
}

/**
 * Claims every port that the configuration asks for. The node-turn engine speaks UDP only.
 * @throws ListenError
 */
export async function claimPorts(
  turn: Pick<Config['turn'], 'engine' | 'port' | 'tls'>,
  listen: readonly string[],
): Promise<Pick<ServerAddresses, 'port' | 'tcpPort' | 'tlsPort'>> {
  if (turn.engine === 'node-turn') return { port: claimPort(listen, turn.port) }
  const port = await claimSharedPort(listen, turn.port)
  if (!turn.tls) return { port, tcpPort: port }
  return { port, tcpPort: port, tlsPort: await claimTcpPort(listen, turn.tls.port, 'tls') }
}

function tryPort(addresses: readonly string[], wanted: number): number {
  let port = wanted
  const sockets = []
  try {
    for (const address of addresses) {
      const socket = bindUdp({ address, port, family: familyOf(address) })
      sockets.push(socket)
      port = socket.address().port
    }
    return port
  } finally {
    for (const socket of sockets) socket.close()
  }
}
