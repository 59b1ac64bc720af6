/** RFC 8656 section 12: channels. */
import { Attribute, type Endpoint, encodeChannelData, Method } from '@hairpin/stun'
import { expect } from 'vitest'
import { expectSilence, type Section } from '../case.ts'
import { channel, type Pair, peerAddress } from '../client.ts'

export const channels: Section = (add) => {
  add('RFC 8656 12.2: the first and the last channel number can be bound', async (stage) => {
    const { client } = await stage.allocated()
    expect(await client.bind(0x4000, stage.peer().endpoint)).toBe(200)
    expect(await client.bind(0x4fff, stage.peer().endpoint)).toBe(200)
  })

  add('RFC 5766 11: the numbers up to 0x7FFF too, for its clients pick from them', async (stage) => {
    const { client } = await stage.allocated()
    expect(await client.bind(0x5000, stage.peer().endpoint)).toBe(200)
    expect(await client.bind(0x7fff, stage.peer().endpoint)).toBe(200)
  })

  add('RFC 8656 12.2: numbers beyond draw 400', async (stage) => {
    const { client } = await stage.allocated()
    const { endpoint } = stage.peer()
    for (const number of [0, 0x3fff, 0x8000, 0xffff])
      expect([number, await client.bind(number, endpoint)]).toEqual([number, 400])
  })

  const incomplete: readonly (readonly [string, (peer: Endpoint) => Pair[]])[] = [
    ['CHANNEL-NUMBER', (peer) => [peerAddress(peer)]],
    ['XOR-PEER-ADDRESS', () => [channel(0x4000)]],
  ]
  for (const [missing, pairs] of incomplete)
    add(`RFC 8656 12.2: ChannelBind without ${missing} draws 400`, async (stage) => {
      const { client } = await stage.allocated()
      expect(await client.code(Method.ChannelBind, pairs(stage.peer().endpoint))).toBe(400)
    })

  add('RFC 8656 12.2: malformed attributes draw 400', async (stage) => {
    const { client } = await stage.allocated()
    const peer = peerAddress(stage.peer().endpoint)
    const shortNumber: Pair = [Attribute.ChannelNumber, Uint8Array.of(0x40, 0)]
    const shortPeer: Pair = [Attribute.XorPeerAddress, Uint8Array.of(0, 1, 0, 0)]
    expect(await client.code(Method.ChannelBind, [shortNumber, peer])).toBe(400)
    expect(await client.code(Method.ChannelBind, [channel(0x4000), shortPeer])).toBe(400)
  })

  add('RFC 8656 12.2: a peer of the other family draws 443, a forbidden one 403', async (stage) => {
    const { client } = await stage.allocated()
    expect(await client.bind(0x4000, { address: '2001:4860::1', port: 9, family: 6 })).toBe(443)
    expect(await client.bind(0x4000, { address: '10.0.0.1', port: 9, family: 4 })).toBe(403)
  })

  add('RFC 8656 12.2: a binding may be refreshed', async (stage) => {
    const { client } = await stage.allocated()
    const { endpoint } = stage.peer()
    for (let i = 0; i < 3; i++) expect(await client.bind(0x4000, endpoint)).toBe(200)
  })

  add('RFC 8656 12.2: a bound number draws 400 for another peer, also for another port of the same', async (stage) => {
    const { client } = await stage.allocated()
    const [peer, other] = [stage.peer(), stage.peer()]
    expect(await client.bind(0x4000, peer.endpoint)).toBe(200)
    expect(await client.bind(0x4000, other.endpoint)).toBe(400)
    expect(await client.bind(0x4001, other.endpoint)).toBe(200)
  })

  add('RFC 8656 12.2: a bound peer draws 400 for another number', async (stage) => {
    const { client } = await stage.allocated()
    const { endpoint } = stage.peer()
    expect(await client.bind(0x4000, endpoint)).toBe(200)
    expect(await client.bind(0x4001, endpoint)).toBe(400)
    expect(await client.bind(0x4000, endpoint)).toBe(200)
  })

  add('RFC 8656 12: the channels of one allocation are none of another', async (stage) => {
    const [ada, bob] = [await stage.allocated(), await stage.allocated()]
    const [hers, his] = [stage.peer(), stage.peer()]
    expect(await ada.client.bind(0x4000, hers.endpoint)).toBe(200)
    expect(await bob.client.bind(0x4000, his.endpoint)).toBe(200)
    bob.client.send(encodeChannelData(0x4000, Buffer.from('from bob')))
    ada.client.send(encodeChannelData(0x4000, Buffer.from('from ada')))
    expect((await his.receive()).payload).toBe('from bob')
    expect((await hers.receive()).payload).toBe('from ada')
  })

  add('RFC 8656 12.2: ChannelBind installs the permission for the address', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const [peer, neighbour] = [stage.peer(), stage.peer()]
    await client.bind(0x4000, peer.endpoint)
    neighbour.send(relayed, 'hello')
    expect(await client.dataIndication()).toEqual({ peer: neighbour.endpoint, payload: 'hello' })
    client.indicate(neighbour.endpoint, Buffer.from('and back'))
    expect((await neighbour.receive()).payload).toBe('and back')
  })

  add('RFC 8656 12.6: ChannelData goes to the bound peer, from the relayed address, byte for byte', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const peer = stage.peer()
    await client.bind(0x4000, peer.endpoint)
    for (const payload of ['a', 'ab', 'abc', 'abcd', 'x'.repeat(1200), 'y'.repeat(8000)]) {
      client.send(encodeChannelData(0x4000, Buffer.from(payload)))
      expect(await peer.receive()).toEqual({ payload, from: { address: relayed.address, port: relayed.port } })
    }
  })

  add('RFC 8656 12.6: an empty ChannelData is an empty datagram', async (stage) => {
    const { client } = await stage.allocated()
    const peer = stage.peer()
    await client.bind(0x4000, peer.endpoint)
    client.send(encodeChannelData(0x4000, new Uint8Array(0)))
    expect((await peer.receive()).payload).toBe('')
  })

  add('RFC 8656 12.5: over UDP padding is not relayed when it is there', async (stage) => {
    const { client } = await stage.allocated()
    const peer = stage.peer()
    await client.bind(0x4000, peer.endpoint)
    client.send(encodeChannelData(0x4000, Buffer.from('abcde'), true))
    expect((await peer.receive()).payload).toBe('abcde')
  })

  add('RFC 8656 12.7: a peer with a channel comes as ChannelData', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const peer = stage.peer()
    await client.bind(0x4001, peer.endpoint)
    for (const payload of ['abcd', 'x'.repeat(1200)]) {
      peer.send(relayed, payload)
      expect(await client.channelData()).toEqual(Buffer.from(encodeChannelData(0x4001, Buffer.from(payload))))
    }
  })

  add('RFC 8656 12.5: over UDP ChannelData is sent without padding', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const peer = stage.peer()
    await client.bind(0x4001, peer.endpoint)
    for (const payload of ['', 'a', 'abcde']) {
      peer.send(relayed, payload)
      expect(await client.channelData()).toEqual(Buffer.from(encodeChannelData(0x4001, Buffer.from(payload))))
    }
  })

  add('RFC 8656 12.5: Send may be used beside a channel, and the answer comes on the channel', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const peer = stage.peer()
    await client.bind(0x4000, peer.endpoint)
    client.indicate(peer.endpoint, Buffer.from('by Send'))
    expect((await peer.receive()).payload).toBe('by Send')
    peer.send(relayed, 'back')
    expect((await client.channelData()).subarray(4).toString()).toContain('back')
  })

  const useless: readonly (readonly [string, Buffer])[] = [
    ['on a number that is not bound', Buffer.of(0x40, 0x09, 0, 1, 7)],
    ['on a number of the reserved range', Buffer.of(0x60, 0, 0, 1, 7)],
    ['shorter than its length says', Buffer.of(0x40, 0, 0, 9, 1, 2)],
    ['shorter than its header', Buffer.of(0x40, 0)],
  ]
  for (const [what, bytes] of useless)
    add(`RFC 8656 12.6: ChannelData ${what} is discarded`, async (stage) => {
      const { client } = await stage.allocated()
      const peer = stage.peer()
      await client.bind(0x4000, peer.endpoint)
      client.send(bytes)
      client.send(encodeChannelData(0x4000, Buffer.from('kept')))
      expect((await peer.receive()).payload).toBe('kept')
      await expectSilence(client)
    })
}
