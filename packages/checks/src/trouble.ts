/** How a server that cannot be talked to is told of, in every step alike. */
import type { Trouble } from './driver.ts'
import type { Outcome } from './types.ts'

/** Outcomes `name`, `refused`, `timeout`, `tls` and `unreachable`. @param what as "the server" */
export function troubleOutcomes(what: string, advice: string): Record<Trouble['kind'], Outcome> {
  return {
    name: {
      verdict: 'failed',
      means: `The name of ${what} leads to no address.`,
      todo: 'Look for a typing error. If the name is right, its DNS record (A, AAAA) is missing, or the DNS server of this network does not know it.',
    },
    refused: {
      verdict: 'failed',
      means: `A machine answers at the address of ${what}, but nothing listens on the port, or a firewall refuses it.`,
      todo: advice,
    },
    timeout: {
      verdict: 'failed',
      means: `Nothing came back from ${what}: a firewall on the way drops the packets, or the address is wrong.`,
      todo: advice,
    },
    tls: {
      verdict: 'failed',
      means: `The port of ${what} is open, but no TLS connection came about.`,
      todo: 'Look whether the port and the scheme belong together (https: and turns: are TLS, http: and turn: are not), and whether a proxy on the way interferes.',
    },
    unreachable: {
      verdict: 'failed',
      means: `The way to ${what} is broken: the connection was reset, or there is no route.`,
      todo: advice,
    },
  }
}
