import type { ClientMessage, ServerBody } from '@hairpin/protocol'
import type { WebSocketLike } from '../../src/signaling.ts'

/** The server's end of sockets that go nowhere. */
export class FakeServer {
  readonly sockets: FakeSocket[] = []

  readonly createSocket = (url: string, subprotocol: string): WebSocketLike => {
    const socket = new FakeSocket(url, subprotocol)
    this.sockets.push(socket)
    return socket
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1)
    if (!socket) throw new Error('no socket was opened')
    return socket
  }

  /** Goes through the join of the newest socket; with a `grace` in seconds its session can be resumed. */
  admit(name?: string, grace?: number): void {
    this.last.receive({ type: 'id', id: 's1' })
    if (grace !== undefined) this.last.receive({ type: 'session', id: 's1', token: 'token-1', grace })
    if (name !== undefined) this.last.receive({ type: 'rejectusername', id: 's1', name })
    this.last.receive({
      type: 'ice-servers',
      iceServers: [{ urls: ['turn:relay.test'] }],
      ttl: 600,
      expiresAt: '2030-01-01T00:00:00Z',
    })
  }

  /** Bob answers the call that is being made. */
  answer(): void {
    const sdp = { type: 'answer', sdp: 'their-answer' } as const
    this.last.receive({ type: 'video-answer', callId: 'c1', name: 'bob', target: 'alice', sdp })
  }
}

export class FakeSocket implements WebSocketLike {
  readonly readyState = 1
  readonly sent: ClientMessage[] = []
  readonly url: string
  readonly subprotocol: string
  closed = false
  closeCode: number | undefined
  onopen: WebSocketLike['onopen'] = null
  onmessage: WebSocketLike['onmessage'] = null
  onclose: WebSocketLike['onclose'] = null
  onerror: WebSocketLike['onerror'] = null
  #seq = 0

  constructor(url: string, subprotocol: string) {
    this.url = url
    this.subprotocol = subprotocol
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as ClientMessage)
  }

  close(code?: number): void {
    this.closed = true
    this.closeCode = code
  }

  /** Goes on with the session of before, which has `received` frames, after its message `seq`. */
  resumed(seq: number, received: number, token = 'token-2', call?: object): void {
    this.#seq = seq
    const message = { type: 'resumed', id: 's1', name: 'alice', token, grace: 30, received, call, seq }
    this.receiveText(JSON.stringify(message))
  }

  receive(body: ServerBody): void {
    this.receiveText(JSON.stringify({ ...body, seq: ++this.#seq }))
  }

  receiveText(data: string): void {
    this.onmessage?.({ data } as never)
  }

  /** The server, or the network, closes. */
  drop(code = 1006): void {
    this.onclose?.({ code } as never)
  }

  types(): string[] {
    return this.sent.map((message) => message.type)
  }
}
