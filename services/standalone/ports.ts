import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

export interface ChosenPort {
  readonly port: number
  readonly why: string
}

/** How many ports after the default one are tried. */
const attempts = 20

/**
 * The default port if it is free, else the next free one. A port that the environment names is taken as it is:
 * whoever asked for it wants to hear that it is taken.
 */
export async function choosePort(
  kind: 'tcp' | 'udp' | 'both',
  wanted: number,
  variable: string,
  host = '0.0.0.0',
): Promise<ChosenPort> {
  if (process.env[variable]?.trim()) return { port: wanted, why: variable }
  for (let port = wanted; port < wanted + attempts; port++) {
    const kinds = kind === 'both' ? (['udp', 'tcp'] as const) : [kind]
    if ((await Promise.all(kinds.map((each) => isFree(each, port, host)))).every((free) => free))
      return {
        port,
        why: port === wanted ? 'default' : `the next free one, ${wanted} is taken (${variable} chooses another)`,
      }
  }
  return { port: wanted, why: `the default: no free port from ${wanted} to ${wanted + attempts - 1}` }
}

/** Binds without SO_REUSEPORT, so that a second stack on this machine is noticed instead of sharing the port. */
function isFree(kind: 'tcp' | 'udp', port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (kind === 'udp') {
      const socket = createSocket('udp4')
      socket.once('error', () => socket.close(() => resolve(false)))
      socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve(true)))
    } else {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
    }
  })
}
