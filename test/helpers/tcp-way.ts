import { connect, type Socket } from 'node:net'

/** Joins a connection to one onward; both are in `sockets` while they are open. */
export function leadOn(near: Socket, host: string, port: number, sockets: Set<Socket>): void {
  const far = connect(port, host)
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    sockets.add(socket)
    socket.on('error', () => other.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
    socket.pipe(other)
  }
}
