/** The three ways to a relay: one datagram or frame in, one out. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { type CertificateFacts, endpointText, type RelayTarget } from '@hairpin/checks'
import { frameLength } from '@hairpin/stun'
import { certificateFacts, lookingAt } from './certificate.ts'
import { within } from './trouble.ts'

export interface Wire {
  /** `address:port` of the relay. */
  readonly server: string
  readonly certificate?: CertificateFacts
  onFrame: ((bytes: Uint8Array) => void) | undefined
  /** It broke; for UDP: the system heard that nothing listens there. */
  onBroken: ((error: unknown) => void) | undefined
  send(bytes: Uint8Array): void
  close(): void
}

const CONNECT_LIMIT = 6_000

/** @param address of the target's host. Rejects when no connection comes about. */
export async function openWire(target: RelayTarget, address: string): Promise<Wire> {
  return target.transport === 'udp' ? await openUdp(target, address) : await openStream(target, address)
}

async function openUdp({ port }: RelayTarget, address: string): Promise<Wire> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const wire: Wire = {
    server: endpointText(address, port),
    onFrame: undefined,
    onBroken: undefined,
    send: (bytes) => socket.send(bytes),
    close: () => socket.close(),
  }
  try {
    socket.connect(port, address)
    await within(CONNECT_LIMIT, 'no socket', once(socket, 'connect'))
  } catch (error) {
    socket.close()
    throw error
  }
  socket.on('message', (bytes) => wire.onFrame?.(bytes))
  socket.on('error', (error) => wire.onBroken?.(error))
  return wire
}

async function openStream({ host, port, transport }: RelayTarget, address: string): Promise<Wire> {
  const socket: Socket =
    transport === 'tls'
      ? connectTls({ host: address, port, ...lookingAt(host) })
      : connectTcp({ host: address, port, noDelay: true })
  try {
    const ready = once(socket, transport === 'tls' ? 'secureConnect' : 'connect')
    await within(CONNECT_LIMIT, `no ${transport === 'tls' ? 'TLS ' : ''}connection`, ready)
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    throw error
  }
  socket.setNoDelay(true)
  const certificate = socket instanceof TLSSocket ? certificateFacts(socket, host) : undefined
  const wire: Wire = {
    server: endpointText(address, port),
    ...(certificate ? { certificate } : {}),
    onFrame: undefined,
    onBroken: undefined,
    send: (bytes) => socket.write(bytes),
    close: () => socket.destroy(),
  }
  let held = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    for (;;) {
      const length = frameLength(held)
      if (length < 0) return void socket.destroy(new Error('what came back is not TURN'))
      if (length === 0 || length > held.length) return
      const frame = held.subarray(0, length)
      held = held.subarray(length)
      wire.onFrame?.(frame)
    }
  })
  socket.on('error', (error) => wire.onBroken?.(error))
  socket.on('close', () => wire.onBroken?.(new Error('the relay closed the connection')))
  return wire
}
