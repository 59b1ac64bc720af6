/** RFC 8656 sections 7.2 and 8.2: relayed addresses of IPv6, alone and beside one of IPv4. */
import {
  Attribute,
  decodeAddressErrorCode,
  decodeXorAddress,
  type Endpoint,
  encodeAddressFamily,
  encodeChannelData,
  Method,
} from '@hairpin/stun'
import { expect } from 'vitest'
import type { Section, Stage } from '../case.ts'
import { codeOf, lifetime, type Pair, type TestClient, UDP_TRANSPORT } from '../client.ts'
import { SERVER, SERVER_V6 } from '../engines.ts'

const requested = (value: 4 | 6): Pair => [Attribute.RequestedAddressFamily, encodeAddressFamily(value)]
const additional = (value: 4 | 6): Pair => [Attribute.AdditionalAddressFamily, encodeAddressFamily(value)]
const ipv6 = true

export const families: Section = (add) => {
  add(
    'RFC 8656 7.2 step 7: REQUESTED-ADDRESS-FAMILY IPv6 gives an IPv6 relayed address, for peers of IPv6',
    async (stage) => {
      const client = await stage.challenged({ ipv6 })
      const relayed = await client.allocate(requested(6))
      expect(relayed).toMatchObject({ address: SERVER_V6, family: 6 })
      const peer = stage.peer(SERVER_V6)
      expect(await client.permit(stage.peer().endpoint)).toBe(443)
      expect(await client.bind(0x4000, peer.endpoint)).toBe(200)
      client.send(encodeChannelData(0x4000, Buffer.from('abcd')))
      expect(await peer.receive()).toEqual({ payload: 'abcd', from: { address: SERVER_V6, port: relayed.port } })
      peer.send(relayed, 'efgh')
      expect((await client.channelData()).toString('latin1')).toContain('efgh')
    },
    { ipv6 },
  )

  add('RFC 8656 7.2 step 9: ADDITIONAL-ADDRESS-FAMILY IPv4 draws 400', async (stage) => {
    const client = await stage.challenged()
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT, additional(4)])).toBe(400)
  })

  add('RFC 8656 7.2 step 9: of two families the one there is is given, and 440 for the other', async (stage) => {
    const client = await stage.challenged()
    const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT, additional(6)])
    expect(codeOf(answer)).toBe(200)
    expect(addressesOf(answer)).toMatchObject([{ address: SERVER, family: 4 }])
    expect(decodeAddressErrorCode(answer.get(Attribute.AddressErrorCode)!)).toMatchObject({ family: 6, code: 440 })
  })

  add(
    'RFC 8656 7.2 step 9: ADDITIONAL-ADDRESS-FAMILY IPv6 gives one of each, and both relay',
    async (stage) => {
      const { client, relayed } = await dual(stage)
      expect(relayed).toMatchObject([
        { address: SERVER, family: 4 },
        { address: SERVER_V6, family: 6 },
      ])
      for (const [i, peer] of [stage.peer(), stage.peer(SERVER_V6)].entries()) {
        const from = { address: relayed[i]!.address, port: relayed[i]!.port }
        expect(await client.permit(peer.endpoint)).toBe(200)
        client.indicate(peer.endpoint, Buffer.from('hello'))
        expect(await peer.receive()).toEqual({ payload: 'hello', from })
        peer.send(relayed[i]!, 'and back')
        expect(await client.dataIndication()).toEqual({ peer: peer.endpoint, payload: 'and back' })
      }
    },
    { ipv6 },
  )

  add(
    'RFC 8656 8.2: of two relayed addresses a Refresh with a family is for the one alone',
    async (stage) => {
      const { client } = await dual(stage)
      const peers = { 4: stage.peer(), 6: stage.peer(SERVER_V6) }
      expect(await client.code(Method.Refresh, [requested(6), lifetime(0)])).toBe(200)
      expect(await client.code(Method.Refresh, [requested(6)])).toBe(443)
      expect(await client.permit(peers[6].endpoint)).toBe(443)
      expect(await client.permit(peers[4].endpoint)).toBe(200)
      client.indicate(peers[4].endpoint, Buffer.from('still here'))
      expect((await peers[4].receive()).payload).toBe('still here')
      expect(await client.code(Method.Refresh, [requested(4), lifetime(0)])).toBe(200)
      expect(await client.code(Method.Refresh)).toBe(437)
    },
    { ipv6 },
  )
}

async function dual(stage: Stage): Promise<{ client: TestClient; relayed: Endpoint[] }> {
  const client = await stage.challenged({ ipv6 })
  const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT, additional(6)])
  expect(codeOf(answer)).toBe(200)
  return { client, relayed: addressesOf(answer) }
}

function addressesOf(answer: Awaited<ReturnType<TestClient['ask']>>): Endpoint[] {
  return answer.getAll(Attribute.XorRelayedAddress).map((value) => decodeXorAddress(value, answer.transactionId)!)
}
