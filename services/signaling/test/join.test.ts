import type { IceServersSource } from '@hairpin/ice-servers'
import { describe, expect, it } from 'vitest'
import { startServer } from './support/server.ts'

describe('joining', () => {
  it('gives an id first, then servers and the list of users, numbered from 1', async () => {
    const server = await startServer()
    const alice = await server.join('alice')
    expect(alice.received.map(({ type }) => type)).toEqual(['id', 'ice-servers', 'userlist'])
    expect(alice.received.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(alice.received[1]).toMatchObject({ iceServers: [{ username: '1:demo/alice' }], ttl: 3600 })
    expect(alice.received[2]).toMatchObject({ users: ['alice'] })
    expect(alice.socket.protocol).toBe('json')
  })

  it('tells the others of joins, renames and leaves', async () => {
    const server = await startServer()
    const alice = await server.join('alice')
    const bob = await server.join('bob')
    await alice.next('userlist', ({ users }) => users.join() === 'alice,bob')
    bob.send({ type: 'username', name: 'robert' })
    await alice.next('userlist', ({ users }) => users.join() === 'alice,robert')
    bob.socket.close()
    await alice.next('userlist', ({ users }) => users.join() === 'alice')
  })

  it('puts joins within a moment into one list', async () => {
    const server = await startServer({ limits: { userlistMs: 200 } })
    const alice = await server.join('alice')
    const before = alice.received.length
    await Promise.all(['b', 'c', 'd', 'e'].map((name) => server.join(name)))
    await alice.next('userlist', ({ users }) => users.length === 5)
    expect(alice.received.length - before).toBeLessThanOrEqual(2)
  })

  it('chooses a free name when the wanted one is taken, and says so', async () => {
    const server = await startServer()
    await server.join('alice')
    const second = await server.connect()
    second.send({ type: 'username', name: 'Alice', id: 'forged', date: 1 })
    const own = second.received[0] as { id: string }
    expect(await second.next('rejectusername')).toMatchObject({ id: own.id, name: 'Alice2' })
    await second.next('userlist', ({ users }) => users.join() === 'alice,Alice2')
  })

  it('says so too when it had to clean the name', async () => {
    const server = await startServer()
    const client = await server.connect()
    client.send({ type: 'username', name: '  <b>\u0000 ' })
    expect(await client.next('rejectusername')).toMatchObject({ name: 'b' })
  })

  it('frees the name of who is gone for the one who comes back', async () => {
    const server = await startServer()
    const first = await server.join('alice')
    const watcher = await server.join('bob')
    first.socket.terminate()
    await watcher.next('userlist', ({ users }) => users.join() === 'bob')
    const again = await server.join('alice')
    expect(again.received.some(({ type }) => type === 'rejectusername')).toBe(false)
  })

  it('comes first: everything else is refused until then', async () => {
    const server = await startServer()
    const client = await server.connect()
    client.send({ type: 'message', text: 'hello' })
    expect(await client.next('error')).toMatchObject({ code: 'SIG_NOT_JOINED', about: 'message' })
  })

  it('must happen in time', async () => {
    const server = await startServer({ limits: { joinMs: 50 } })
    const client = await server.connect()
    expect(await client.next('error')).toMatchObject({ code: 'SIG_JOIN_TIMEOUT' })
    expect((await client.closed).code).toBe(4408)
  })

  it('is not for guests where the demo is off', async () => {
    const server = await startServer({ demo: false })
    const client = await server.connect()
    client.send({ type: 'username', name: 'alice' })
    expect(await client.next('error')).toMatchObject({ code: 'SIG_GUESTS_OFF' })
    expect((await client.closed).code).toBe(4401)
  })
})

describe('the relay credentials', () => {
  it('come afresh when asked for', async () => {
    let count = 0
    const iceServers: IceServersSource = {
      iceServersFor: async () => ({ iceServers: [], ttl: ++count, expiresAt: '' }),
    }
    const alice = await (await startServer({ iceServers })).join('alice')
    alice.send({ type: 'ice-servers' })
    expect(await alice.next('ice-servers')).toMatchObject({ ttl: 2 })
  })

  it.each([
    [
      'at once',
      () => {
        throw new Error('down')
      },
    ],
    ['later', () => Promise.reject(new Error('down'))],
  ])('may be missing (%s): the client hears it and stays', async (_when, iceServersFor) => {
    const iceServers: IceServersSource = { iceServersFor }
    const server = await startServer({ iceServers })
    const alice = await server.connect()
    alice.send({ type: 'username', name: 'alice' })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_ICE_SERVERS_UNAVAILABLE', about: 'ice-servers' })
    alice.send({ type: 'message', text: 'still here' })
    await alice.next('message')
  })
})
