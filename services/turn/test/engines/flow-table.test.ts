import { describe, expect, it } from 'vitest'
import type { Listener } from '../../src/core/index.ts'
import { FlowTable } from '../../src/engines/hairpin/flow-table.ts'

const key = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const listener = (id: number): Listener => ({
  id,
  transport: 'udp',
  local: { address: '192.0.2.1', port: 3478, family: 4 },
})
const [first, second] = [listener(0), listener(1)]
const at = (address: string, port: number) => ({ address, port, family: address.includes(':') ? 6 : 4 }) as const

function tables(workers: number, shared = new SharedArrayBuffer(FlowTable.bytes)) {
  return Array.from({ length: workers }, (_, worker) => new FlowTable(shared, key, worker)) as [FlowTable, FlowTable]
}

describe('the table of flows', () => {
  it('tells other workers whose a client is, by all of its five-tuple', () => {
    const [mine, other] = tables(2)
    mine.add(first, at('198.51.100.7', 4000))
    mine.add(first, at('2001:db8::7', 4000))
    expect(other.ownerOf(first, '198.51.100.7', 4000)).toBe(0)
    expect(other.ownerOf(first, '2001:db8::7', 4000)).toBe(0)
    expect(other.ownerOf(first, '198.51.100.7', 4001)).toBe(-1)
    expect(other.ownerOf(first, '198.51.100.8', 4000)).toBe(-1)
    expect(other.ownerOf(first, '2001:db8::8', 4000)).toBe(-1)
    expect(other.ownerOf(second, '198.51.100.7', 4000)).toBe(-1)
  })

  it('never points at the worker that asks', () => {
    const [mine] = tables(2)
    mine.add(first, at('198.51.100.7', 4000))
    expect(mine.ownerOf(first, '198.51.100.7', 4000)).toBe(-1)
  })

  it('forgets what is removed, once for each time it was added', () => {
    const [mine, other] = tables(2)
    mine.add(first, at('198.51.100.7', 4000))
    mine.add(first, at('198.51.100.7', 4000))
    mine.remove(first, at('198.51.100.7', 4000))
    expect(other.ownerOf(first, '198.51.100.7', 4000)).toBe(0)
    mine.remove(first, at('198.51.100.7', 4000))
    mine.remove(first, at('198.51.100.7', 4000))
    expect(other.ownerOf(first, '198.51.100.7', 4000)).toBe(-1)
  })

  it('removes nobody else’s entry', () => {
    const [mine, other] = tables(2)
    const third = tables(3)[1]
    mine.add(first, at('198.51.100.7', 4000))
    other.remove(first, at('198.51.100.7', 4000))
    expect(other.ownerOf(first, '198.51.100.7', 4000)).toBe(0)
    expect(third.ownerOf(first, '198.51.100.7', 4000)).toBe(-1)
  })

  it('gives up all that a crashed worker had, and nothing of the others', () => {
    const shared = new SharedArrayBuffer(FlowTable.bytes)
    const [dead, alive] = tables(2, shared)
    const asker = new FlowTable(shared, key, 2)
    for (let port = 1024; port < 3024; port++) {
      dead.add(first, at('198.51.100.7', port))
      alive.add(first, at('198.51.100.8', port))
    }
    new FlowTable(shared, key, 0).reclaim()
    for (let port = 1024; port < 3024; port++) {
      expect(asker.ownerOf(first, '198.51.100.7', port)).toBe(-1)
      expect(asker.ownerOf(first, '198.51.100.8', port)).toBe(1)
    }
  })

  it('holds as many clients as a host has ports to relay on, and still knows strangers', () => {
    const shared = new SharedArrayBuffer(FlowTable.bytes)
    const asker = new FlowTable(shared, key, 300)
    const owners = Array.from({ length: 256 }, (_, worker) => new FlowTable(shared, key, worker))
    const count = 64_512
    for (let i = 0; i < count; i++) owners[i % 256]!.add(first, at(`10.0.${i >> 12}.1`, 1024 + (i & 0xfff)))
    let lost = 0
    let mistaken = 0
    for (let i = 0; i < count; i++) {
      if (asker.ownerOf(first, `10.0.${i >> 12}.1`, 1024 + (i & 0xfff)) !== i % 256) lost++
      if (asker.ownerOf(first, `10.1.${i >> 12}.1`, 1024 + (i & 0xfff)) !== -1) mistaken++
    }
    expect(lost).toBeLessThan(5)
    expect(mistaken).toBeLessThan(5)
  })
})
