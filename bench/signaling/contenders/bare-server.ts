/** The least that a relay by `ws` can be: join by a name, pass frames on by their target. Nothing is checked or limited. */
import { WebSocket, WebSocketServer } from 'ws'

const peers = new Map<string, WebSocket>()

const server = new WebSocketServer({ host: process.env.BENCH_ADDRESS!, port: Number(process.env.BENCH_PORT) })
server.on('connection', (socket) => {
  let name: string | undefined
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as { name?: string; target?: string }
    if (name === undefined) {
      name = message.name ?? ''
      peers.set(name, socket)
      socket.send('{"type":"joined"}')
      return
    }
    const peer = peers.get(message.target ?? '')
    if (peer?.readyState === WebSocket.OPEN) peer.send(data, { binary: false })
  })
  socket.on('close', () => {
    if (name !== undefined && peers.get(name) === socket) peers.delete(name)
  })
  socket.on('error', () => {})
})
