import { createSocket, type Socket, type SocketOptions } from 'node:dgram'

export interface UdpBinding {
  readonly address: string
  readonly port: number
  readonly family: 4 | 6
  /** Several workers listen on one port; the kernel spreads clients over them by five-tuple. */
  readonly reusePort?: boolean
  /** Bytes, for both directions; the kernel caps it at net.core.rmem_max and wmem_max. */
  readonly bufferSize?: number
}

/**
 * Binds a UDP socket. With the synchronous `lookup` everything happens within the call, and later sends need no DNS
 * step: addresses are always literal here.
 * @throws the bind error (EADDRINUSE, EADDRNOTAVAIL, EMFILE …); the socket is closed then.
 */
export function bindUdp(binding: UdpBinding): Socket {
  const options: SocketOptions = {
    type: binding.family === 4 ? 'udp4' : 'udp6',
    lookup: (hostname, _options, callback) => callback(null, hostname, binding.family),
    reusePort: binding.reusePort ?? false,
  }
  if (binding.bufferSize !== undefined) {
    options.recvBufferSize = binding.bufferSize
    options.sendBufferSize = binding.bufferSize
  }
  if (binding.family === 6) options.ipv6Only = true
  const socket = createSocket(options)
  let failure: Error | undefined
  const onError = (error: Error) => {
    failure = error
  }
  socket.once('error', onError)
  socket.bind({ address: binding.address, port: binding.port, exclusive: true })
  socket.off('error', onError)
  if (failure) {
    socket.close()
    throw failure
  }
  return socket
}
