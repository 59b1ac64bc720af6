import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender } from './contender.ts'

const root = join(import.meta.dirname, '..', '..', '..')
/** Not a dependency: it would bring a hundred packages for this row alone. */
const folders = [join(root, 'node_modules', '.cache', 'hairpin-bench', 'peer'), root]
const folder = () => folders.find((one) => existsSync(join(one, 'node_modules', 'peer')))

export const peerjs: Contender = {
  name: 'peerjs',
  about: 'PeerJS server, npm peer, as published',
  dialect: {
    path: ({ name }) => `/peerjs?key=peerjs&id=${name}&token=t`,
    join: () => undefined,
    joined: '"type":"OPEN"',
    call: () => [],
    candidate: ({ name: dst }, candidate) =>
      JSON.stringify({ type: 'CANDIDATE', dst, payload: { candidate: { candidate, sdpMid: '0', sdpMLineIndex: 0 } } }),
    data: ({ name: dst }, data) => JSON.stringify({ type: 'OFFER', dst, payload: { data } }),
  },
  unavailable: () =>
    folder() === undefined
      ? 'npm package peer is not installed: npm install --prefix node_modules/.cache/hairpin-bench/peer peer'
      : undefined,
  command: () => ({ entry: join(import.meta.dirname, 'peerjs-server.ts'), env: { PEER_FOLDER: folder() ?? '' } }),
}
