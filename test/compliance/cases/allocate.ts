/** RFC 8656 sections 5 to 7: allocations. */
import {
  Attribute,
  decodeAddress,
  decodeErrorCode,
  decodeLifetime,
  decodeUnknownAttributes,
  decodeXorAddress,
  encodeAddressFamily,
  encodeEvenPort,
  encodeRequestedTransport,
  Method,
} from '@hairpin/stun'
import { expect } from 'vitest'
import type { Section } from '../case.ts'
import { codeOf, lifetime, type Pair, relayedOf, UDP_TRANSPORT } from '../client.ts'
import { RELAY_PORTS, SERVER } from '../engines.ts'

const EVEN: Pair = [Attribute.EvenPort, encodeEvenPort(false)]
const RESERVE: Pair = [Attribute.EvenPort, encodeEvenPort(true)]
const family = (value: 4 | 6): Pair => [Attribute.RequestedAddressFamily, encodeAddressFamily(value)]
const additional = (value: 4 | 6): Pair => [Attribute.AdditionalAddressFamily, encodeAddressFamily(value)]
const token = (value: Uint8Array): Pair => [Attribute.ReservationToken, value]

export const allocate: Section = (add) => {
  add('RFC 8656 7.2: success tells relayed address, lifetime and mapped address', async (stage) => {
    const client = await stage.challenged()
    const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT])
    const { address, port } = relayedOf(answer)
    expect(address).toBe(SERVER)
    expect(port).toBeGreaterThanOrEqual(RELAY_PORTS.min)
    expect(port).toBeLessThanOrEqual(RELAY_PORTS.max)
    expect(decodeLifetime(answer.get(Attribute.Lifetime)!)).toBe(600)
    expect(decodeXorAddress(answer.get(Attribute.XorMappedAddress)!, answer.transactionId)).toEqual(client.local)
  })

  add('RFC 8656 5: a retransmitted Allocate is answered the same and allocates nothing more', async (stage) => {
    const client = await stage.challenged()
    const request = client.build(Method.Allocate, [UDP_TRANSPORT])
    client.send(request)
    client.send(request)
    const first = await client.answer(request)
    client.send(request)
    const again = await client.answer(request)
    expect(relayedOf(again)).toEqual(relayedOf(first))
    expect(again.get(Attribute.Lifetime)).toEqual(first.get(Attribute.Lifetime))
  })

  add('RFC 8656 7.2 step 2: a second Allocate on the five-tuple draws 437', async (stage) => {
    const { client } = await stage.allocated()
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT])).toBe(437)
    const { credentials } = await stage.challenged({ user: 'bob' })
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT], { credentials })).toBe(437)
  })

  add('RFC 8656 6: clients that differ in their port alone have allocations of their own', async (stage) => {
    const [ada, bob] = [await stage.allocated(), await stage.allocated()]
    expect(ada.relayed).not.toEqual(bob.relayed)
    expect(await ada.client.code(Method.Refresh, [lifetime(0)])).toBe(200)
    expect(await bob.client.code(Method.Refresh)).toBe(200)
  })

  add('RFC 8656 6: one address and port over UDP and over TCP are two five-tuples', async (stage) => {
    const udp = await stage.allocated()
    const tcp = await stage.allocated({ transport: 'tcp', localPort: udp.client.local.port })
    expect(tcp.client.local).toEqual(udp.client.local)
    expect(tcp.relayed).not.toEqual(udp.relayed)
    expect(await tcp.client.code(Method.Refresh, [lifetime(0)])).toBe(200)
    expect(await udp.client.code(Method.Refresh)).toBe(200)
  })

  const transports: readonly (readonly [string, number, Pair[]])[] = [
    ['without REQUESTED-TRANSPORT', 400, []],
    ['with a REQUESTED-TRANSPORT of a wrong size', 400, [[Attribute.RequestedTransport, Uint8Array.of(17)]]],
    ['for another protocol than UDP and TCP', 442, [[Attribute.RequestedTransport, encodeRequestedTransport(132)]]],
  ]
  for (const [what, code, pairs] of transports)
    add(`RFC 8656 7.2 step 3: an Allocate ${what} draws ${code}`, async (stage) => {
      const client = await stage.challenged()
      expect(await client.code(Method.Allocate, pairs)).toBe(code)
    })

  add('RFC 8656 7.2 step 4: DONT-FRAGMENT that is not supported draws 420 and is named', async (stage) => {
    const client = await stage.challenged()
    const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT, [Attribute.DontFragment, new Uint8Array(0)]])
    if (codeOf(answer) === 200) return
    expect(codeOf(answer)).toBe(420)
    expect(decodeUnknownAttributes(answer.get(Attribute.UnknownAttributes)!)).toEqual([Attribute.DontFragment])
  })

  add('RFC 8656 7.2 step 5: a RESERVATION-TOKEN gives the port after the even one, once', async (stage) => {
    const first = await stage.challenged()
    const answer = await first.ask(Method.Allocate, [UDP_TRANSPORT, RESERVE])
    const reserved = Buffer.from(answer.get(Attribute.ReservationToken)!)
    expect([relayedOf(answer).port % 2, reserved.length]).toEqual([0, 8])
    const second = await stage.challenged({ user: 'bob' })
    const { port } = await second.allocate(token(reserved))
    expect(port).toBe(relayedOf(answer).port + 1)
    const third = await stage.challenged()
    expect(await third.code(Method.Allocate, [UDP_TRANSPORT, token(reserved)])).toBe(508)
  })

  add('RFC 8656 7.2 step 5: a RESERVATION-TOKEN that nobody was given draws 508', async (stage) => {
    const client = await stage.challenged()
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT, token(Buffer.alloc(8, 7))])).toBe(508)
  })

  const wishes: readonly (readonly [step: number, what: string, pairs: Pair[]])[] = [
    [5, 'RESERVATION-TOKEN of a wrong size', [token(new Uint8Array(7))]],
    [5, 'EVEN-PORT beside RESERVATION-TOKEN', [token(new Uint8Array(8)), EVEN]],
    [5, 'REQUESTED-ADDRESS-FAMILY beside RESERVATION-TOKEN', [token(new Uint8Array(8)), family(4)]],
    [5, 'ADDITIONAL-ADDRESS-FAMILY beside RESERVATION-TOKEN', [token(new Uint8Array(8)), additional(6)]],
    [6, 'REQUESTED- beside ADDITIONAL-ADDRESS-FAMILY', [family(4), additional(6)]],
    [7, 'REQUESTED-ADDRESS-FAMILY of a wrong size', [[Attribute.RequestedAddressFamily, Uint8Array.of(1)]]],
    [8, 'EVEN-PORT of a wrong size', [[Attribute.EvenPort, new Uint8Array(0)]]],
    [8, 'ADDITIONAL-ADDRESS-FAMILY beside EVEN-PORT with a reservation', [additional(6), RESERVE]],
  ]
  for (const [step, what, pairs] of wishes)
    add(`RFC 8656 7.2 step ${step}: ${what} draws 400`, async (stage) => {
      const client = await stage.challenged()
      expect(await client.code(Method.Allocate, [UDP_TRANSPORT, ...pairs])).toBe(400)
    })

  add('RFC 8656 7.2 step 7: REQUESTED-ADDRESS-FAMILY IPv4 is what is given without it', async (stage) => {
    const client = await stage.challenged()
    expect((await client.allocate(family(4))).family).toBe(4)
  })

  add('RFC 8656 7.2 step 7: a family that the server has no address of draws 440', async (stage) => {
    const client = await stage.challenged()
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT, family(6)])).toBe(440)
    const nonsense: Pair = [Attribute.RequestedAddressFamily, Uint8Array.of(9, 0, 0, 0)]
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT, nonsense])).toBe(440)
  })

  add('RFC 8656 7.2 step 8: EVEN-PORT gives an even port', async (stage) => {
    for (let i = 0; i < 6; i++) {
      const client = await stage.challenged()
      expect((await client.allocate(EVEN)).port % 2).toBe(0)
    }
  })

  add('RFC 8656 7.2 step 10: beyond the quota of the username 486, for others not', async (stage) => {
    const settings = { HAIRPIN_USER_QUOTA: '1' }
    const first = await stage.allocated({ settings })
    const second = await stage.challenged({ settings })
    expect(await second.code(Method.Allocate, [UDP_TRANSPORT])).toBe(486)
    await stage.allocated({ settings, user: 'bob' })
    await first.client.code(Method.Refresh, [lifetime(0)])
    expect(await second.code(Method.Allocate, [UDP_TRANSPORT])).toBe(200)
  })

  add('RFC 8656 7.2 step 11: a server that redirects says 300 with ALTERNATE-SERVER', async (stage) => {
    const settings = { HAIRPIN_REALM: 'redirecting' }
    const { engine } = await stage.relay(settings)
    const alternate = { address: '192.0.2.1', port: 3478, family: 4 } as const
    engine.drain({ alternate: { 4: alternate } })
    const client = await stage.challenged({ settings })
    const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT])
    expect(codeOf(answer)).toBe(300)
    expect(decodeAddress(answer.get(Attribute.AlternateServer)!)).toEqual(alternate)
  })

  add('RFC 8656 7.2: when every relayed port is taken 508', async (stage) => {
    const settings = { HAIRPIN_RELAY_PORTS: '43500-43500' }
    await stage.allocated({ settings })
    const client = await stage.challenged({ settings })
    const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT])
    expect(decodeErrorCode(answer.get(Attribute.ErrorCode)!)?.code).toBe(508)
  })

  const lifetimes: readonly (readonly [asked: number, given: number])[] = [
    [0, 600],
    [60, 600],
    [1200, 1200],
    [86_400, 3600],
    [0xffffffff, 3600],
  ]
  for (const [asked, given] of lifetimes)
    add(`RFC 8656 7.2: a LIFETIME of ${asked} s gives ${given} s`, async (stage) => {
      const client = await stage.challenged()
      const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT, lifetime(asked)])
      expect(decodeLifetime(answer.get(Attribute.Lifetime)!)).toBe(given)
    })

  add('RFC 8656 18.2: a LIFETIME of a wrong size draws 400', async (stage) => {
    const client = await stage.challenged()
    const short: Pair = [Attribute.Lifetime, Uint8Array.of(0, 1)]
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT, short])).toBe(400)
    await client.allocate()
    expect(await client.code(Method.Refresh, [short])).toBe(400)
  })
}
