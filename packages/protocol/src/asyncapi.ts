import { clientSchemas } from './client.ts'
import { closeCodes, limits, path, subprotocol } from './constants.ts'
import { signalingErrors } from './errors.ts'
import { serverSchemas } from './server.ts'

export interface TableRow {
  readonly type: string
  readonly from: 'client' | 'server'
  /** Field names; true where the field may be absent. */
  readonly fields: ReadonlyMap<string, boolean>
  readonly meaning: string
}

/** The rows of the table of messages in docs/PROTOCOL.md. */
export function messageTable(document: string): TableRow[] {
  return [...document.matchAll(/^\| `([\w-]+)` \| (C→S|S→C)([^|]*)\| (.*) \|$/gm)].map(
    ([, type = '', direction, fields = '', meaning = '']) => ({
      type,
      from: direction === 'C→S' ? 'client' : 'server',
      fields: new Map(
        [...fields.matchAll(/`(\w+)(?:\[\])?`(\?)?/g)].map(([, name = '', mark]) => [name, mark === '?']),
      ),
      meaning,
    }),
  )
}

/**
 * The protocol as an AsyncAPI 3.0 document, from the point of view of the server: it receives what clients send.
 * @param document docs/PROTOCOL.md, for what the messages mean
 */
export function asyncApi(document: string): object {
  const table = messageTable(document)
  const messages: Record<string, object> = {}
  const add = (from: TableRow['from'], schemas: Readonly<Record<string, object>>) => {
    const refs = []
    for (const [type, payload] of Object.entries(schemas)) {
      const key = `${from}-${type}`
      const summary = table.find((row) => row.type === type && row.from === from)?.meaning ?? ''
      messages[key] = { name: type, title: `${type} (from the ${from})`, summary, payload }
      refs.push({ $ref: `#/channels/signaling/messages/${key}` })
    }
    return refs
  }
  const fromClients = add('client', clientSchemas)
  const fromServer = add('server', serverSchemas)
  const channel = { $ref: '#/channels/signaling' }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Hairpin signaling',
      version: '1.0.0',
      description: `JSON, one object per text frame of at most ${limits.messageBytes} bytes, over a WebSocket with the subprotocol "${subprotocol}". docs/PROTOCOL.md has sessions, calls, limits and examples. Made by packages/protocol/scripts/asyncapi.ts.`,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      public: { host: '{host}', protocol: 'wss', variables: { host: { default: 'localhost' } } },
      local: { host: 'localhost:8080', protocol: 'ws' },
    },
    channels: {
      signaling: {
        address: path,
        messages: Object.fromEntries(
          Object.keys(messages).map((key) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            headers: {
              type: 'object',
              properties: { 'Sec-WebSocket-Protocol': { type: 'string', const: subprotocol } },
            },
            bindingVersion: '0.1.0',
          },
        },
      },
    },
    operations: {
      receive: { action: 'receive', channel, summary: 'What clients send.', messages: fromClients },
      send: {
        action: 'send',
        channel,
        summary: 'What the server sends; every message has a seq.',
        messages: fromServer,
      },
    },
    components: { messages },
    'x-error-codes': signalingErrors,
    'x-close-codes': closeCodes,
    'x-limits': limits,
  }
}
