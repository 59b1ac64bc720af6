import { join } from 'node:path'
import type { Contender } from './contender.ts'

export const bare: Contender = {
  name: 'ws',
  about: 'a relay of 20 lines on npm ws: join by name, pass frames by target',
  dialect: {
    path: () => '/',
    join: ({ name }) => JSON.stringify({ type: 'join', name }),
    joined: '"type":"joined"',
    call: () => [],
    candidate: ({ name: target }, candidate) =>
      JSON.stringify({ type: 'new-ice-candidate', target, candidate: { candidate, sdpMid: '0', sdpMLineIndex: 0 } }),
    data: ({ name: target }, data) => JSON.stringify({ type: 'x-data', target, data }),
  },
  unavailable: () => undefined,
  command: () => ({ entry: join(import.meta.dirname, 'bare-server.ts') }),
}
