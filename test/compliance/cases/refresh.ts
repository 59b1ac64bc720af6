/** RFC 8656 section 8: Refresh; and section 5 on whose requests an allocation takes. */
import { Attribute, decodeLifetime, encodeAddressFamily, Method } from '@hairpin/stun'
import { expect } from 'vitest'
import { expectSilence, type Section } from '../case.ts'
import { channel, codeOf, lifetime, type Pair, peerAddress, UDP_TRANSPORT } from '../client.ts'
import { PEERS } from '../engines.ts'

const peer = { address: PEERS[0], port: 9, family: 4 } as const
const REQUESTS: readonly (readonly [number, Pair[]])[] = [
  [Method.Refresh, [lifetime(900)]],
  [Method.CreatePermission, [peerAddress(peer)]],
  [Method.ChannelBind, [channel(0x4000), peerAddress(peer)]],
]

export const refresh: Section = (add) => {
  add('RFC 8656 5: without an allocation every other request draws 437', async (stage) => {
    const client = await stage.challenged()
    for (const [method, pairs] of REQUESTS) expect([method, await client.code(method, pairs)]).toEqual([method, 437])
  })

  add('RFC 8656 5: without an allocation indications and ChannelData are ignored', async (stage) => {
    const client = await stage.client()
    client.indicate(peer, Buffer.from('hello'))
    client.send(Buffer.of(0x40, 0, 0, 1, 7))
    await expectSilence(client)
  })

  add('RFC 8656 5: requests of another user on the five-tuple draw 441', async (stage) => {
    const { client } = await stage.allocated()
    const { credentials } = await stage.challenged({ user: 'eve' })
    for (const [method, pairs] of REQUESTS)
      expect([method, await client.code(method, pairs, { credentials })]).toEqual([method, 441])
    expect(await client.code(Method.Refresh, [lifetime(0)], { credentials })).toBe(441)
    expect(await client.code(Method.Refresh)).toBe(200)
  })

  const lifetimes: readonly (readonly [what: string, pairs: Pair[], given: number])[] = [
    ['without LIFETIME', [], 600],
    ['for less than the default', [lifetime(60)], 600],
    ['in between', [lifetime(1200)], 1200],
    ['for more than the maximum', [lifetime(86_400)], 3600],
  ]
  for (const [what, pairs, given] of lifetimes)
    add(`RFC 8656 8.2: a Refresh ${what} gives ${given} s`, async (stage) => {
      const { client } = await stage.allocated()
      const answer = await client.ask(Method.Refresh, pairs)
      expect([codeOf(answer), decodeLifetime(answer.get(Attribute.Lifetime)!)]).toEqual([200, given])
    })

  add('RFC 8656 8.2: LIFETIME 0 deletes the allocation, and the five-tuple can have another', async (stage) => {
    const { client } = await stage.allocated()
    const deleted = await client.ask(Method.Refresh, [lifetime(0)])
    expect([codeOf(deleted), decodeLifetime(deleted.get(Attribute.Lifetime)!)]).toEqual([200, 0])
    for (const [method, pairs] of REQUESTS) expect([method, await client.code(method, pairs)]).toEqual([method, 437])
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT])).toBe(200)
    expect(await client.code(Method.Refresh)).toBe(200)
  })

  add('RFC 8656 9 and 12: permissions and channels end with their allocation', async (stage) => {
    const friend = stage.peer()
    const { client } = await stage.allocated()
    await client.bind(0x4000, friend.endpoint)
    await client.code(Method.Refresh, [lifetime(0)])
    const relayed = await client.allocate()
    friend.send(relayed, 'unwanted')
    client.send(Buffer.of(0x40, 0, 0, 1, 7))
    await expectSilence(client)
    expect(await client.bind(0x4001, friend.endpoint)).toBe(200)
  })

  add('RFC 8656 8.2: a REQUESTED-ADDRESS-FAMILY that is not the allocation’s draws 443', async (stage) => {
    const { client } = await stage.allocated()
    const family = (value: 4 | 6): Pair => [Attribute.RequestedAddressFamily, encodeAddressFamily(value)]
    expect(await client.code(Method.Refresh, [family(6)])).toBe(443)
    expect(await client.code(Method.Refresh, [family(4)])).toBe(200)
  })
}
