import { ConfigError } from '@hairpin/config'
import { bindUdp, familyOf } from './udp-socket.ts'

/** The relay cannot listen. `code` is stable: TURN_PORT_IN_USE, TURN_PORT_FORBIDDEN, TURN_ADDRESS_UNAVAILABLE, TURN_LISTEN_FAILED. */
export class ListenError extends ConfigError {
  readonly code: string
  readonly port: number

  /** @param systemCode EADDRINUSE and the like */
  constructor(port: number, systemCode: string | undefined, detail: string) {
    const [variable, code, advice] = explain(systemCode, port)
    super(variable, `${advice} (${detail})`)
    this.name = 'ListenError'
    this.code = code
    this.port = port
  }
}

function explain(systemCode: string | undefined, port: number): [variable: string, code: string, advice: string] {
  switch (systemCode) {
    case 'EADDRINUSE':
      return [
        'HAIRPIN_TURN_PORT',
        'TURN_PORT_IN_USE',
        `UDP port ${port} is taken; stop the other server or set another`,
      ]
    case 'EACCES':
      return ['HAIRPIN_TURN_PORT', 'TURN_PORT_FORBIDDEN', `this user may not listen on port ${port}`]
    case 'EADDRNOTAVAIL':
      return ['HAIRPIN_LISTEN_IPS', 'TURN_ADDRESS_UNAVAILABLE', 'an address is not one of this host']
    default:
      return ['HAIRPIN_TURN_PORT', 'TURN_LISTEN_FAILED', `cannot listen on UDP port ${port}`]
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
