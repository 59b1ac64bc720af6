/** RFC 8016: a client that comes from another address keeps its allocation. */
import { Attribute, copyBytes, decodeLifetime, type Endpoint, encodeChannelData, Method } from '@hairpin/stun'
import { expect } from 'vitest'
import { expectSilence, type Section, type Stage } from '../case.ts'
import { codeOf, lifetime, type Pair, relayedOf, type TestClient, UDP_TRANSPORT } from '../client.ts'

const ticket = (value: Uint8Array): Pair => [Attribute.MobilityTicket, value]
const ASK_FOR_ONE = ticket(new Uint8Array(0))

export const mobility: Section = (add) => {
  add('RFC 8016 3.1: only who asks for a ticket is given one', async (stage) => {
    const { client } = await mobile(stage)
    expect((await client.ask(Method.Refresh)).has(Attribute.MobilityTicket)).toBe(false)
    const plain = await stage.challenged()
    expect((await plain.ask(Method.Allocate, [UDP_TRANSPORT])).has(Attribute.MobilityTicket)).toBe(false)
  })

  add('RFC 8016 3.2: a Refresh with the ticket moves allocation, permissions and channels', async (stage) => {
    const { client, relayed, given } = await mobile(stage)
    const [peer, friend] = [stage.peer(), stage.peer()]
    await client.bind(0x4000, peer.endpoint)
    const moved = await stage.challenged()
    const answer = await moved.ask(Method.Refresh, [ticket(given), lifetime(900)])
    expect([codeOf(answer), decodeLifetime(answer.get(Attribute.Lifetime)!)]).toEqual([200, 900])
    expect(answer.get(Attribute.MobilityTicket)).not.toEqual(given)
    moved.send(encodeChannelData(0x4000, Buffer.from('from elsewhere')))
    expect(await peer.receive()).toEqual({
      payload: 'from elsewhere',
      from: { address: relayed.address, port: relayed.port },
    })
    friend.send(relayed, 'hello')
    expect((await moved.dataIndication()).payload).toBe('hello')
    await expectSilence(client)
    expect(await client.code(Method.Refresh)).toBe(437)
  })

  add('RFC 8016 3.2: a client may move again with the next ticket', async (stage) => {
    const { given } = await mobile(stage)
    let next = given
    for (let i = 0; i < 3; i++) {
      const moved = await stage.challenged()
      const answer = await moved.ask(Method.Refresh, [ticket(next)])
      expect(codeOf(answer)).toBe(200)
      next = copyBytes(answer.get(Attribute.MobilityTicket)!)
    }
  })

  add('RFC 8016 3.2: a ticket that the server did not make draws 400', async (stage) => {
    const { client, given } = await mobile(stage)
    const forged = given.slice()
    forged[forged.length - 1]! ^= 1
    const stranger = await stage.challenged()
    expect(await stranger.code(Method.Refresh, [ticket(forged)])).toBe(400)
    expect(await client.code(Method.Refresh)).toBe(200)
  })

  add('RFC 8656 5: the ticket of another user draws 441', async (stage) => {
    const { client, given } = await mobile(stage)
    const thief = await stage.challenged({ user: 'eve' })
    expect(await thief.code(Method.Refresh, [ticket(given)])).toBe(441)
    expect(await client.code(Method.Refresh)).toBe(200)
  })
}

async function mobile(stage: Stage): Promise<{ client: TestClient; relayed: Endpoint; given: Uint8Array }> {
  const client = await stage.challenged()
  const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT, ASK_FOR_ONE])
  expect([codeOf(answer), answer.has(Attribute.MobilityTicket)]).toEqual([200, true])
  return { client, relayed: relayedOf(answer), given: copyBytes(answer.get(Attribute.MobilityTicket)!) }
}
