import type { IncomingMessage } from 'node:http'
import { errorIn, openLimit, type SocketFacts, type SocketLike } from '@hairpin/checks'
import { path, subprotocol } from '@hairpin/protocol/constants'
import { WebSocket } from 'ws'
import { lookingAt } from './certificate.ts'
import { troubleOf } from './trouble.ts'

const MAX_BODY = 16 * 1024

/**
 * A signaling socket, and what to say when it does not open.
 * @param page origin of the page whose part is played; undefined: none, as a program has it
 */
export function openSocket(origin: string, page: string | undefined) {
  const url = new URL(path, origin.replace(/^http/, 'ws'))
  const socket = new WebSocket(url, [subprotocol], {
    handshakeTimeout: openLimit,
    // The types of `ws` know another checkServerIdentity than node:tls, which gets it.
    ...(lookingAt(url.hostname.replace(/^\[|\]$/g, '')) as object),
    ...(page ? { origin: page } : {}),
  })
  let facts: Promise<SocketFacts> | undefined
  socket.on('unexpected-response', (_, response) => {
    facts = bodyOf(response).then((body) => {
      const code = errorIn(body)?.code
      return { state: 'refused', status: response.statusCode ?? 0, ...(code ? { code } : {}) }
    })
    void facts.then(() => socket.terminate())
  })
  socket.on('error', (error) => {
    facts ??= Promise.resolve({ state: 'trouble', trouble: troubleOf(error) })
  })
  const unknown = { kind: 'unreachable', text: 'closed before it was open' } as const
  const failed = async (): Promise<SocketFacts> => (await facts) ?? { state: 'trouble', trouble: unknown }
  return { url, socket: socket as SocketLike, failed }
}

function bodyOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_BODY) response.destroy()
    })
    response.on('close', () => resolve(text))
    response.on('error', () => {})
  })
}
