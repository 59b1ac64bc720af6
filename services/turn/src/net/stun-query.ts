import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { Attribute, Class, decodeXorAddress, familyOf, MessageWriter, Method, parseMessage } from '@hairpin/stun'
import { bindUdp } from './udp-socket.ts'

/** Milliseconds between retransmissions: shorter than RFC 8489's, for a start should not wait. */
const RETRANSMIT = 200

/**
 * Our address as a STUN server sees it: one Binding (RFC 8489 section 6), sent again until `timeout` milliseconds are
 * over. Undefined when nothing usable came back. Never rejects.
 * @param server `host:port`
 * @param local address to ask from
 */
export async function mappedAddress(server: string, local: string, timeout: number): Promise<string | undefined> {
  const { promise: tooLate, resolve: giveUp } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => giveUp(undefined), timeout)
  const cancelled = new AbortController()
  try {
    return await Promise.race([query(server, local, cancelled.signal), tooLate])
  } catch {
    return undefined
  } finally {
    cancelled.abort()
    clearTimeout(timer)
  }
}

async function query(server: string, local: string, cancelled: AbortSignal): Promise<string | undefined> {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(server) ?? []
  const { address } = await lookup(host, { family: familyOf(local) })
  if (cancelled.aborted) return undefined
  const socket = bindUdp({ address: local, port: 0, family: familyOf(local) })
  try {
    return await ask(socket, address, Number(port), cancelled)
  } finally {
    socket.close()
  }
}

function ask(socket: Socket, address: string, port: number, cancelled: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const transaction = randomBytes(12)
    const request = new MessageWriter(Method.Binding, Class.Request, transaction).finish()
    const send = () => socket.send(request, port, address)
    const interval = setInterval(send, RETRANSMIT)
    const done = (result: string | undefined) => {
      clearInterval(interval)
      resolve(result)
    }
    cancelled.addEventListener('abort', () => done(undefined))
    socket.on('error', () => done(undefined))
    socket.on('message', (datagram) => {
      const parsed = parseMessage(datagram)
      if (!parsed.ok || parsed.message.class !== Class.Success) return
      if (!transaction.equals(parsed.message.transactionId)) return
      const value = parsed.message.get(Attribute.XorMappedAddress)
      done(value && decodeXorAddress(value, transaction)?.address)
    })
    send()
  })
}
