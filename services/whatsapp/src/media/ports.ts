import { createSocket } from 'node:dgram'
import { LegError } from './leg.ts'

/**
 * The UDP ports of legs. Each is tried before the library gets it: there, a port that is in use, an address that is not this
 * machine's, or a process without file descriptors left aborts the process instead of being an error.
 */
export class MediaPorts {
  readonly #address: string | undefined
  /** The one that is free for longest comes first. */
  readonly #free: number[]
  readonly #ranged: boolean

  /** @param range first and last; without one the system chooses */
  constructor(address: string | undefined, range: readonly [number, number] | undefined) {
    this.#address = address
    this.#ranged = range !== undefined
    this.#free = range ? Array.from({ length: range[1] - range[0] + 1 }, (_, n) => range[0] + n) : []
  }

  /** @returns a port to be given back by `release`; 0: any @throws LegError MEDIA_NO_PORT */
  async take(): Promise<number> {
    let fault = 'all ports of the range are in use'
    const tries = this.#ranged ? this.#free.length : 1
    for (let n = 0; n < tries; n++) {
      const port = this.#ranged ? this.#free.shift() : 0
      // Others take ports, too, while one is tried.
      if (port === undefined) break
      const found = await tryPort(this.#address, port)
      if (found === undefined) return port
      fault = found
      this.release(port)
    }
    throw new LegError('MEDIA_NO_PORT', `no UDP port for media: ${fault}`)
  }

  release(port: number): void {
    if (port !== 0) this.#free.push(port)
  }
}

/** What stands against this port; undefined: nothing. */
async function tryPort(address: string | undefined, port: number): Promise<string | undefined> {
  if (address !== undefined) return bind(address.includes(':') ? 'udp6' : 'udp4', address, port)
  const fault = await bind('udp6', '::', port)
  return fault?.includes('EAFNOSUPPORT') ? bind('udp4', '0.0.0.0', port) : fault
}

function bind(type: 'udp4' | 'udp6', address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(type)
    const done = (fault?: string) => {
      socket.removeAllListeners()
      socket.close(() => resolve(fault))
    }
    socket.on('error', ({ message }) => done(message))
    socket.bind({ address, port, exclusive: true }, () => done())
  })
}
