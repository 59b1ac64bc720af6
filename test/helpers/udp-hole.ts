import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { leadOn } from './tcp-way.ts'

/**
 * An address whose firewall lets TCP through to a relay and drops UDP: connections to `address` go on to `relay` at the
 * same port, datagrams are taken and nothing is said.
 */
export async function udpHole(address: string, relay: string, port: number): Promise<{ close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => leadOn(client, relay, port, sockets))
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
