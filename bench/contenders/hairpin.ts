import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Contender, Site } from './contender.ts'

const entry = join(import.meta.dirname, '..', '..', 'services', 'turn', 'src', 'main.ts')

const withoutLedger = join(import.meta.dirname, 'without-ledger.ts')

const ADMIN_PORT = 9464

const unavailable = () => (existsSync(entry) ? undefined : 'services/turn/src/main.ts is not there')

const readyUrl = ({ address }: Site) => `http://${address}:${ADMIN_PORT}/readyz`

let folder: string | undefined

function dataFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'hairpin-bench-'))
    process.on('exit', () => rmSync(made, { recursive: true, force: true }))
    folder = made
  }
  return folder
}

/** The relay service as it ships: HTTP, metrics and counters included. */
function service(site: Site, engine: 'hairpin' | 'node-turn', workers: number) {
  return {
    argv: [process.execPath, ...extraArguments(), entry],
    env: {
      HAIRPIN_TURN_ENGINE: engine,
      HAIRPIN_WORKERS: `${workers}`,
      HAIRPIN_LISTEN_IPS: site.address,
      HAIRPIN_EXTERNAL_IP: site.address,
      HAIRPIN_TURN_PORT: `${site.port}`,
      HAIRPIN_REALM: site.realm,
      HAIRPIN_TURN_SECRETS: site.secret,
      HAIRPIN_HTTP_HOST: site.address,
      HAIRPIN_HTTP_PORT: '8080',
      HAIRPIN_ADMIN_HOST: site.address,
      HAIRPIN_ADMIN_PORT: `${ADMIN_PORT}`,
      HAIRPIN_DATA_DIR: join(dataFolder(), site.address),
      HAIRPIN_STUN_SERVER: 'off',
      HAIRPIN_LOG_LEVEL: 'error',
      // Clients and peers are on loopback, and they all share one user.
      HAIRPIN_PEER_ALLOW: '127.0.0.0/8',
      HAIRPIN_USER_QUOTA: '0',
      // And one address: nothing that allocates as fast as it can fits the budget of a source prefix.
      HAIRPIN_CHALLENGE_RATE: '0',
      HAIRPIN_BINDING_RATE: '0',
    },
  }
}

/** `HAIRPIN_BENCH_NODE_ARGS="--cpu-prof --cpu-prof-dir=…"`: options for the Node that runs our service. */
const extraArguments = () => process.env.HAIRPIN_BENCH_NODE_ARGS?.split(' ').filter(Boolean) ?? []

export const hairpin: Contender = {
  name: 'hairpin',
  about: 'this repository, one relay worker',
  via: 'channel',
  cores: 1,
  unavailable,
  readyUrl,
  command: (site) => service(site, 'hairpin', 1),
}

export const hairpinTwo: Contender = {
  name: 'hairpin-2',
  about: 'this repository, two relay workers (on two cores, of which one is the generator’s where there are only two)',
  via: 'channel',
  cores: 2,
  unavailable,
  readyUrl,
  command: (site) => service(site, 'hairpin', 2),
}

export const hairpinWithoutLedger: Contender = {
  ...hairpin,
  name: 'hairpin-no-ledger',
  about: 'its engine alone, with nobody counting usage',
  command: (site) => ({ ...service(site, 'hairpin', 1), argv: [process.execPath, ...extraArguments(), withoutLedger] }),
}

export const nodeTurnRepaired: Contender = {
  name: 'node-turn-repaired',
  about: 'npm node-turn inside this repository’s service (HAIRPIN_TURN_ENGINE=node-turn)',
  via: 'channel',
  cores: 1,
  unavailable,
  readyUrl,
  command: (site) => service(site, 'node-turn', 1),
}
