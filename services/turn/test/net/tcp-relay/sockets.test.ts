import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { Endpoint } from '../../../src/core/index.ts'
import { connectFrom, listenOn } from '../../../src/net/tcp-relay/sockets.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listening(address: string): Promise<Endpoint> {
  const server = createServer((socket) => socket.resume()).listen(0, address)
  servers.push(server)
  await once(server, 'listening')
  return { address, port: (server.address() as AddressInfo).port, family: address.includes(':') ? 6 : 4 }
}
async function freePort(address: string): Promise<Endpoint> {
  const place = await listening(address)
  const server = servers.pop()!
  server.close()
  await once(server, 'close')
  return place
}

it.each(['127.0.0.1', '::1'])('listens on one port of %s and connects from it to several peers', async (address) => {
  const local = await freePort(address)
  servers.push(await listenOn(local))
  for (const peer of [await listening(address), await listening(address)]) {
    const socket = connectFrom(local, peer)
    await once(socket, 'connect')
    expect(socket.localPort).toBe(local.port)
    socket.destroy()
  }
})

it('does not share a port that somebody else listens on, with SO_REUSEPORT or without', async () => {
  const local = await freePort('127.0.0.1')
  servers.push(await listenOn(local))
  await expect(listenOn(local)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await expect(listenOn(await listening('127.0.0.1'))).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

it('fails to connect from a port that is not its own', async () => {
  const socket = connectFrom(await listening('127.0.0.1'), await listening('127.0.0.1'))
  const [error] = await once(socket, 'error')
  expect(error).toBeInstanceOf(Error)
  expect(socket.destroyed).toBe(true)
})
