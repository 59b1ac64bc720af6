import { MessageChannel } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Listener } from '../../src/core/index.ts'
import { Drops } from '../../src/datapath/data-path.ts'
import { FlowTable } from '../../src/engines/hairpin/flow-table.ts'
import type { Parcel } from '../../src/engines/hairpin/link.ts'
import { Neighbours } from '../../src/engines/hairpin/neighbours.ts'

const listener: Listener = { id: 3, transport: 'udp', local: { address: '192.0.2.1', port: 3478, family: 4 } }
const client = { address: '198.51.100.7', port: 4000, family: 4 } as const
const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const step of cleanUp.splice(0)) step()
})

/** Worker 0, which gets the packets, and worker 1, which has the client. */
function pair() {
  const shared = new SharedArrayBuffer(FlowTable.bytes)
  const key = new Uint8Array(8)
  const received: Parcel[] = []
  const asked: number[] = []
  const drops = new Drops()
  const connect = (worker: number) => void asked.push(worker)
  const owned = new FlowTable(shared, key, 1)
  owned.add(listener, client)
  const stray = new Neighbours({ flows: new FlowTable(shared, key, 0), drops, connect, received: () => {} })
  const owner = new Neighbours({ flows: owned, drops, connect, received: (parcel) => void received.push(parcel) })
  cleanUp.push(
    () => stray.close(),
    () => owner.close(),
  )
  const link = () => {
    const { port1, port2 } = new MessageChannel()
    stray.connected(1, port1)
    owner.accept(port2)
    return port2
  }
  const hand = (bytes: Uint8Array) => stray.handOver(bytes, listener, client.address, client.port)
  return { stray, owner, owned, received, asked, link, hand, dropped: () => new Map(drops.entries()).get('handover') }
}

describe('handing over', () => {
  it('takes a client’s packets to the worker that has it, in order, and asks for a channel once', async () => {
    const { received, asked, link, hand, stray } = pair()
    const packet = Buffer.from([1])
    expect(hand(packet)).toBe(true)
    // The socket's buffer is its own again.
    packet[0] = 9
    expect(hand(Buffer.from([2]))).toBe(true)
    expect(asked).toEqual([1])
    link()
    hand(Buffer.from([3]))
    await vi.waitFor(() => expect(received).toHaveLength(3), 5000)
    expect(received.map(({ bytes }) => [...bytes])).toEqual([[1], [2], [3]])
    expect(received[0]).toMatchObject({ listener: 3, address: client.address, port: client.port })
    expect([asked, stray.count]).toEqual([[1], 3])
  })

  it('does not concern itself with strangers, and so opens no channel for a flood of them', () => {
    const { stray, asked } = pair()
    for (let port = 1; port < 2000; port++)
      expect(stray.handOver(Buffer.from([1]), listener, '203.0.113.9', port)).toBe(false)
    expect(asked).toEqual([])
  })

  it('drops and counts what a worker that does not answer has no room for, and goes on when it does', async () => {
    const { received, link, hand, dropped } = pair()
    const packet = Buffer.alloc(60_000)
    for (let i = 0; i < 100; i++) expect(hand(packet)).toBe(true)
    expect(dropped()).toBeGreaterThan(25)
    const [lost, passed] = [dropped()!, 100 - dropped()!]
    link()
    await vi.waitFor(() => expect(received).toHaveLength(passed), 5000)
    await vi.waitFor(() => {
      hand(packet)
      expect(received.length).toBeGreaterThan(passed)
    }, 5000)
    expect(dropped()).toBe(lost)
  })

  it('asks for another channel when the worker at the other end ended', async () => {
    const { asked, link, hand, received } = pair()
    hand(Buffer.from([1]))
    const theirs = link()
    await vi.waitFor(() => expect(received).toHaveLength(1), 5000)
    theirs.close()
    await vi.waitFor(() => {
      hand(Buffer.from([2]))
      expect(asked).toEqual([1, 1])
    }, 5000)
    link()
    await vi.waitFor(() => expect(received.at(-1)?.bytes[0]).toBe(2))
  })
})
