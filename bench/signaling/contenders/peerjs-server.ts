/** Runs npm `peer` from the folder that PEER_FOLDER names. */
import { createRequire } from 'node:module'
import { join } from 'node:path'

interface Peer {
  PeerServer(options: Record<string, unknown>): void
}

const require = createRequire(join(process.env.PEER_FOLDER!, 'from'))
const { PeerServer } = require('peer') as Peer
PeerServer({
  host: process.env.BENCH_ADDRESS,
  port: Number(process.env.BENCH_PORT),
  path: '/',
  concurrent_limit: 1_000_000,
  // The generator's clients send no heartbeats of PeerJS's own; no run is that long.
  alive_timeout: 3_600_000,
})
