import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender, Site } from './contender.ts'

const root = join(import.meta.dirname, '..', '..')

const environment = ({ address, port, realm, credentials }: Site) => ({
  BENCH_SITE: JSON.stringify({ address, port, realm, credentials }),
})

/**
 * The npm package as published. It discards ChannelData from clients, so its load goes as Send and Data indications:
 * the payload's rate is the same, each packet is 36 bytes longer than in a channel.
 */
export const nodeTurn: Contender = {
  name: 'node-turn',
  about: 'npm node-turn as published; Send and Data indications',
  via: 'indication',
  cores: 1,
  unavailable: () =>
    existsSync(join(root, 'node_modules', 'node-turn')) ? undefined : 'npm package node-turn is not installed',
  command: (site) => ({
    argv: [process.execPath, join(import.meta.dirname, 'node-turn-server.ts')],
    env: environment(site),
  }),
}
