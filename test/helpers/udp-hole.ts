import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/**
 * An address whose firewall lets TCP through to a relay and drops UDP: connections to `address` go on to `relay` at the
 * same port, datagrams are taken and nothing is said.
 */
export async function udpHole(address: string, relay: string, port: number): Promise<{ close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const onward = connect(port, relay)
    for (const [from, to] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  server.listen(port, address)
  await once(server, 'listening')
  const hole = createSocket('udp4')
  hole.bind(port, address)
  await once(hole, 'listening')
  return {
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      hole.close()
      await once(server, 'close')
    },
  }
}
