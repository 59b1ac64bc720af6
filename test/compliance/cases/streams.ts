/** Clients over TCP and TLS: RFC 8489 section 6.2.2, RFC 8656 sections 3.1 and 12.5. */
import { encodeChannelData, Method } from '@hairpin/stun'
import { expect, vi } from 'vitest'
import type { Section } from '../case.ts'
import { codeOf, lifetime, UDP_TRANSPORT } from '../client.ts'

export const streams: Section = (add) => {
  for (const transport of ['tcp', 'tls'] as const) {
    const over = transport.toUpperCase()

    add(`RFC 8489 6.2.2: over ${over} requests in one segment are each answered`, async (stage) => {
      const client = await stage.client({ transport })
      const requests = Array.from({ length: 5 }, () => client.build(Method.Binding))
      client.send(Buffer.concat(requests))
      for (const request of requests) expect(codeOf(await client.answer(request))).toBe(200)
    })

    add(`RFC 8489 6.2.2: over ${over} a request may come byte by byte`, async (stage) => {
      const client = await stage.client({ transport })
      const request = client.build(Method.Allocate, [UDP_TRANSPORT])
      for (const byte of request) client.send(Uint8Array.of(byte))
      expect(codeOf(await client.answer(request))).toBe(401)
    })

    add(`RFC 8656 3.1: over ${over} an allocation is made, refreshed and deleted`, async (stage) => {
      const { client } = await stage.allocated({ transport })
      expect(await client.code(Method.Refresh)).toBe(200)
      expect(await client.code(Method.Refresh, [lifetime(0)])).toBe(200)
      expect(await client.code(Method.Refresh)).toBe(437)
    })

    add(`RFC 8656 11: over ${over} Send and Data carry whole datagrams`, async (stage) => {
      const { client, relayed } = await stage.allocated({ transport })
      const peer = stage.peer()
      await client.permit(peer.endpoint)
      for (const payload of ['a', 'abcde', 'x'.repeat(8000)]) {
        client.indicate(peer.endpoint, Buffer.from(payload))
        expect((await peer.receive()).payload).toBe(payload)
        peer.send(relayed, payload)
        expect(await client.dataIndication()).toEqual({ peer: peer.endpoint, payload })
      }
    })

    add(`RFC 8656 12.5: over ${over} ChannelData is padded both ways, and the padding not relayed`, async (stage) => {
      const { client, relayed } = await stage.allocated({ transport })
      const peer = stage.peer()
      await client.bind(0x4000, peer.endpoint)
      for (const payload of ['', 'a', 'ab', 'abc', 'abcd', 'x'.repeat(1201)]) {
        client.send(encodeChannelData(0x4000, Buffer.from(payload), true))
        expect((await peer.receive()).payload).toBe(payload)
        peer.send(relayed, payload)
        expect(await client.channelData()).toEqual(Buffer.from(encodeChannelData(0x4000, Buffer.from(payload), true)))
      }
    })

    add(`RFC 8656 12.5: over ${over} ChannelData and STUN follow each other in one segment`, async (stage) => {
      const { client } = await stage.allocated({ transport })
      const peer = stage.peer()
      await client.bind(0x4000, peer.endpoint)
      const refresh = client.build(Method.Refresh)
      const data = encodeChannelData(0x4000, Buffer.from('abc'), true)
      client.send(Buffer.concat([data, refresh, data]))
      expect(codeOf(await client.answer(refresh))).toBe(200)
      for (let i = 0; i < 2; i++) expect((await peer.receive()).payload).toBe('abc')
    })

    add(`RFC 8489 6.2.2: over ${over} what is neither STUN nor ChannelData ends the connection`, async (stage) => {
      const client = await stage.client({ transport })
      client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
      await vi.waitFor(() => expect(client.closed).toBe(true), 5000)
    })
  }
}
