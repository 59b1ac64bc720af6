import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { leadOn } from './tcp-way.ts'

/** A way over TCP to a port of this machine that can be cut. */
export interface Gate {
  /** `127.0.0.1:port` */
  readonly host: string
  /** Breaks what goes through and lets nothing more through. */
  cut(): void
  open(): void
}

/** Stands until the end of the test. */
export async function gateTo(port: number): Promise<Gate> {
  const sockets = new Set<Socket>()
  let closed = false
  const server = createServer((near) => {
    if (closed) return void near.resetAndDestroy()
    leadOn(near, '127.0.0.1', port, sockets)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const cut = () => {
    closed = true
    for (const socket of sockets) socket.resetAndDestroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const open = () => {
    closed = false
  }
  return { host, cut, open }
}
