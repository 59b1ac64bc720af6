/** RFC 8656 sections 9 to 11: permissions, Send and Data. */
import { Attribute, Class, type Endpoint, Method } from '@hairpin/stun'
import { expect } from 'vitest'
import { expectSilence, type Section } from '../case.ts'
import { type Pair, peerAddress } from '../client.ts'
import { PEERS } from '../engines.ts'

const v6: Endpoint = { address: '2001:4860::1', port: 9, family: 6 }
const denied: Endpoint = { address: '10.0.0.1', port: 9, family: 4 }

export const permissions: Section = (add) => {
  add('RFC 8656 10.2: without XOR-PEER-ADDRESS, or with a malformed one, CreatePermission draws 400', async (stage) => {
    const { client } = await stage.allocated()
    expect(await client.code(Method.CreatePermission)).toBe(400)
    const malformed: Pair = [Attribute.XorPeerAddress, Uint8Array.of(0, 1, 0)]
    expect(await client.code(Method.CreatePermission, [malformed])).toBe(400)
  })

  add('RFC 8656 10.2: one CreatePermission installs all its peers', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const peers = PEERS.map((address) => stage.peer(address))
    expect(await client.permit(...peers.map(({ endpoint }) => endpoint))).toBe(200)
    for (const peer of peers) {
      client.indicate(peer.endpoint, Buffer.from('hello'))
      expect(await peer.receive()).toEqual({ payload: 'hello', from: { address: relayed.address, port: relayed.port } })
    }
  })

  const whole: readonly (readonly [string, number, Pair])[] = [
    ['a forbidden peer', 403, peerAddress(denied)],
    ['a peer of the other family', 443, peerAddress(v6)],
    ['a malformed peer', 400, [Attribute.XorPeerAddress, Uint8Array.of(0, 9, 0, 0)]],
  ]
  for (const [what, code, pair] of whole)
    add(`RFC 8656 10.2: with ${what} among them CreatePermission draws ${code} and installs none`, async (stage) => {
      const { client, relayed } = await stage.allocated()
      const peer = stage.peer()
      expect(await client.code(Method.CreatePermission, [peerAddress(peer.endpoint), pair])).toBe(code)
      peer.send(relayed, 'unwanted')
      await expectSilence(client)
    })

  add('RFC 8656 9: a permission is for the address, whatever the port', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const [peer, neighbour, stranger] = [stage.peer(), stage.peer(), stage.peer(PEERS[1])]
    expect(await client.permit({ ...peer.endpoint, port: 0 })).toBe(200)
    stranger.send(relayed, 'unwanted')
    for (const each of [peer, neighbour]) {
      each.send(relayed, 'wanted')
      expect(await client.dataIndication()).toEqual({ peer: each.endpoint, payload: 'wanted' })
    }
  })

  add('RFC 8656 9: the permissions of one allocation are none of another', async (stage) => {
    const [ada, bob] = [await stage.allocated(), await stage.allocated()]
    const peer = stage.peer()
    await ada.client.permit(peer.endpoint)
    peer.send(bob.relayed, 'unwanted')
    bob.client.indicate(peer.endpoint, Buffer.from('unwanted'))
    await expectSilence(bob.client)
    ada.client.indicate(peer.endpoint, Buffer.from('wanted'))
    expect(await peer.receive()).toMatchObject({ payload: 'wanted', from: { port: ada.relayed.port } })
  })

  add('RFC 8656 10.2: CreatePermission may be repeated', async (stage) => {
    const { client } = await stage.allocated()
    const { endpoint } = stage.peer()
    for (let i = 0; i < 3; i++) expect(await client.permit(endpoint, endpoint)).toBe(200)
  })

  add(
    'RFC 8656 11.2: what a Send indication carries is sent as it is: no padding, and nothing when empty',
    async (stage) => {
      const { client } = await stage.allocated()
      const peer = stage.peer()
      await client.permit(peer.endpoint)
      for (const payload of ['', 'a', 'ab', 'abc', 'abcd', 'x'.repeat(1200), 'y'.repeat(8000)]) {
        client.indicate(peer.endpoint, Buffer.from(payload))
        expect((await peer.receive()).payload).toBe(payload)
      }
    },
  )

  const useless: readonly (readonly [string, (peer: Endpoint) => Pair[]])[] = [
    ['without DATA', (peer) => [peerAddress(peer)]],
    ['without XOR-PEER-ADDRESS', () => [[Attribute.Data, Buffer.from('lost')]]],
    ['with an unknown required attribute', (peer) => [...full(peer), [0x7ffe, new Uint8Array(0)]]],
    ['to an address without a permission', () => full({ address: PEERS[1], port: 9, family: 4 })],
  ]
  for (const [what, pairs] of useless)
    add(`RFC 8656 11.2: a Send indication ${what} is discarded`, async (stage) => {
      const { client } = await stage.allocated()
      const peer = stage.peer()
      await client.permit(peer.endpoint)
      client.send(client.build(Method.Send, pairs(peer.endpoint), { class: Class.Indication, integrity: 'none' }))
      client.indicate(peer.endpoint, Buffer.from('kept'))
      expect((await peer.receive()).payload).toBe('kept')
      await expectSilence(client)
    })

  add('RFC 8656 11.2: DONT-FRAGMENT on Send is obeyed or discards, as Allocate said', async (stage) => {
    const dontFragment: Pair = [Attribute.DontFragment, new Uint8Array(0)]
    const client = await stage.challenged()
    const supported = await client.allocate(dontFragment).then(
      () => true,
      () => false,
    )
    if (!supported) await client.allocate()
    const peer = stage.peer()
    await client.permit(peer.endpoint)
    client.indicate(peer.endpoint, Buffer.from('whole'), dontFragment)
    client.indicate(peer.endpoint, Buffer.from('last'))
    expect((await peer.receive()).payload).toBe(supported ? 'whole' : 'last')
  })

  add('RFC 8656 11.3: a peer without a channel comes in a Data indication', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const peer = stage.peer()
    await client.permit(peer.endpoint)
    for (const payload of ['a', 'abcde', 'x'.repeat(1200)]) {
      peer.send(relayed, payload)
      expect(await client.dataIndication()).toEqual({ peer: peer.endpoint, payload })
    }
  })

  add('RFC 8656 11.3: an empty datagram of a peer is told too', async (stage) => {
    const { client, relayed } = await stage.allocated()
    const peer = stage.peer()
    await client.permit(peer.endpoint)
    peer.send(relayed, '')
    expect(await client.dataIndication()).toEqual({ peer: peer.endpoint, payload: '' })
  })
}

function full(peer: Endpoint): Pair[] {
  return [peerAddress(peer), [Attribute.Data, Buffer.from('lost')]]
}
