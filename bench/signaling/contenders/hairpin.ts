import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentialsApi } from '../load/credentials-api.ts'
import { appSecrets } from '../load/people.ts'
import type { Contender, Dialect, Setting, Site } from './contender.ts'

const entry = join(import.meta.dirname, '..', '..', '..', 'services', 'signaling', 'src', 'main.ts')
const sdp = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'

let folder: string | undefined

function dataFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'hairpin-bench-'))
    process.on('exit', () => rmSync(made, { recursive: true, force: true }))
    folder = made
  }
  return folder
}

/** The service as it ships, by its public variables: all clients come from one address. */
const environment = (site: Site, { unlimited, guests = false }: Setting) => ({
  HAIRPIN_HTTP_HOST: site.address,
  HAIRPIN_HTTP_PORT: `${site.port}`,
  HAIRPIN_ADMIN_HOST: site.address,
  HAIRPIN_ADMIN_PORT: '9464',
  HAIRPIN_DATA_DIR: join(dataFolder(), site.address),
  HAIRPIN_TURN_API: credentialsApi(),
  HAIRPIN_STUN_SERVER: 'off',
  HAIRPIN_LOG_LEVEL: 'error',
  HAIRPIN_DEMO: guests ? '1' : '0',
  HAIRPIN_SIGNALING_SECRETS: appSecrets(),
  HAIRPIN_SOURCE_CONNECTIONS: '1000000',
  HAIRPIN_MAX_CONNECTIONS: '1000000',
  ...(unlimited ? { HAIRPIN_MESSAGE_BURST: '1000000', HAIRPIN_MESSAGE_RATE: '1000000' } : {}),
})

const dialect: Dialect = {
  path: () => '/ws',
  join: ({ name, token }) => JSON.stringify({ type: 'username', name, ...(token === undefined ? {} : { token }) }),
  // The last that a client waits for before it can call.
  joined: '"type":"ice-servers"',
  call: (caller, callee) => [
    {
      from: 'caller',
      text: JSON.stringify({ type: 'video-offer', target: callee.name, sdp: { type: 'offer', sdp } }),
      part: '"type":"video-offer"',
    },
    {
      from: 'callee',
      text: JSON.stringify({ type: 'video-answer', target: caller.name, sdp: { type: 'answer', sdp } }),
      part: '"type":"video-answer"',
    },
  ],
  candidate: ({ name: target }, candidate) =>
    JSON.stringify({ type: 'new-ice-candidate', target, candidate: { candidate, sdpMid: '0', sdpMLineIndex: 0 } }),
  data: ({ name: target }, data) => JSON.stringify({ type: 'x-data', target, data }),
}

export const hairpin: Contender = {
  name: 'hairpin',
  about: 'services/signaling as it ships; clients join with a token of their app',
  dialect,
  unavailable: () => undefined,
  command: (site, setting) => ({ entry, env: environment(site, setting) }),
}

/** As packages/client joins: what is sent is kept until the client says that it has it. */
export const hairpinResume: Contender = {
  ...hairpin,
  name: 'hairpin-resume',
  about: 'the same, and its clients can resume, as those of packages/client',
  dialect: {
    ...dialect,
    join: ({ name, token }) =>
      JSON.stringify({ type: 'username', name, resume: true, ...(token === undefined ? {} : { token }) }),
    acking: { every: 50, ack: (seq) => JSON.stringify({ type: 'ack', seq }) },
  },
}
