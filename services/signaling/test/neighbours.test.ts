/** A client that hangs, or that floods, costs the server little and the others nothing. */
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Client } from './support/client.ts'
import { startServer, type TestServer } from './support/server.ts'

const mebibyte = 1024 * 1024
const sdp = 'v=0\r\n'

/** Two guests in a call. */
async function call(server: TestServer, caller: string, callee: string): Promise<[Client, Client]> {
  const [from, to] = [await server.join(caller), await server.join(callee)]
  from.send({ type: 'video-offer', target: callee, sdp: { type: 'offer', sdp } })
  await to.next('video-offer')
  to.send({ type: 'video-answer', target: caller, sdp: { type: 'answer', sdp } })
  await from.next('video-answer')
  return [from, to]
}

const candidate = (target: string, n: number) => ({
  type: 'new-ice-candidate',
  target,
  candidate: { candidate: `${n}` },
})

/** The numbers of the candidates that came, in the order in which they came. */
const candidatesOf = ({ received }: Client): number[] =>
  received.flatMap((message) =>
    message.type === 'new-ice-candidate' ? [Number((message.candidate as { candidate: string }).candidate)] : [],
  )

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

/** How many bytes wait for clients, and the most that waited for any of them whenever it was looked. */
function watchBuffers({ app }: TestServer) {
  const sockets = new Set<Socket>()
  let peak = 0
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const amounts = () => [...sockets].map(({ writableLength }) => writableLength)
  return {
    look: () => {
      peak = Math.max(peak, ...amounts())
    },
    peak: () => peak,
    now: () => amounts().reduce((sum, amount) => sum + amount, 0),
  }
}

describe('a client that does not read', () => {
  it('has at most 1 MiB waiting for it, and the others get all of their messages in order', async () => {
    const server = await startServer({ configured: { messageBurst: 1_000_000, messagesPerSecond: 1_000_000 } })
    const buffers = watchBuffers(server)
    const [anna, ben] = await call(server, 'anna', 'ben')
    const slow = await server.join('slow')
    const fast = await server.join('fast')
    slow.socket.pause()

    const data = 'x'.repeat(60_000)
    const count = 400
    for (let n = 0; n < count; n++) {
      fast.send({ type: 'x-data', target: 'slow', data })
      anna.send(candidate('ben', n))
      ben.send(candidate('anna', n))
      await turn()
      buffers.look()
    }
    await fast.next('userlist', ({ users }) => !users.includes('slow'))
    await ben.next('new-ice-candidate', ({ candidate }) => candidate?.candidate === `${count - 1}`)
    await anna.next('new-ice-candidate', ({ candidate }) => candidate?.candidate === `${count - 1}`)

    expect(await server.metric('hairpin_signaling_errors_total{code="SIG_SLOW_CONSUMER"}')).toBe(1)
    // One message may come on top of the bound.
    expect(buffers.peak()).toBeGreaterThan(0)
    expect(buffers.peak()).toBeLessThan(mebibyte + 64 * 1024)
    expect(buffers.now()).toBe(0)
    expect(candidatesOf(ben)).toEqual(upTo(count))
    expect(candidatesOf(anna)).toEqual(upTo(count))
  })
})

describe('a client that sends as fast as it can', () => {
  it('is heard no further than its allowance, and the others get all of their messages in order', async () => {
    const server = await startServer()
    const buffers = watchBuffers(server)
    const [anna, ben] = await call(server, 'anna', 'ben')
    const [flooder, victim] = await call(server, 'flooder', 'victim')

    const count = 80
    for (let n = 0; n < count; n++) {
      for (let i = 0; i < 100; i++) flooder.send(candidate('victim', n))
      anna.send(candidate('ben', n))
      ben.send(candidate('anna', n))
      await turn()
      buffers.look()
    }
    expect((await flooder.closed).code).toBe(4400)
    await victim.next('call-ended')
    await ben.next('new-ice-candidate', ({ candidate }) => candidate?.candidate === `${count - 1}`)
    await anna.next('new-ice-candidate', ({ candidate }) => candidate?.candidate === `${count - 1}`)

    expect(candidatesOf(ben)).toEqual(upTo(count))
    expect(candidatesOf(anna)).toEqual(upTo(count))
    // 120 at once and 30 a second, however long this took on a busy machine.
    expect(candidatesOf(victim).length).toBeLessThan(count * 100 * 0.5)
    // It is told of the faults that it is forgiven, and then that it was too many.
    const errors = flooder.received.filter(({ type }) => type === 'error')
    expect(errors.at(-1)).toMatchObject({ code: 'SIG_ABUSE' })
    expect(errors.length).toBeLessThan(100)
    expect(buffers.peak()).toBeLessThan(64 * 1024)
  })

  it('is read no more once it is thrown out, and may come again', async () => {
    const server = await startServer()
    const accepted: Socket[] = []
    server.app.server.on('connection', (socket: Socket) => accepted.push(socket))
    const flooder = await server.join('flooder')
    const message = JSON.stringify({ ...candidate('nobody', 0), padding: 'x'.repeat(10_000) })
    for (let n = 0; n < 1_000; n++) flooder.socket.send(message)
    expect((await flooder.closed).code).toBe(4400)
    // Of some 10 MB: its allowance, the faults that it is forgiven, and what the kernel had ready at that moment.
    expect(accepted[0]?.bytesRead).toBeLessThan(3 * mebibyte)
    await server.join('flooder')
  })
})
