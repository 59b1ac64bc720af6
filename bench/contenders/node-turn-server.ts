/** Runs npm node-turn with the bench's address and its one user. */
import Turn from 'node-turn'
import type { Site } from './contender.ts'

const { address, port, realm, credentials } = JSON.parse(process.env.BENCH_SITE!) as Site

const server = new Turn({
  listeningIps: [address],
  relayIps: [address],
  listeningPort: port,
  minPort: 49152,
  maxPort: 65535,
  authMech: 'long-term',
  realm,
  debugLevel: 'OFF',
  debug: () => {},
})
server.authentification.credentials[credentials.username] = credentials.password
server.start()
