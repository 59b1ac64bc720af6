/** One allocation with a relayed address of each family, over real sockets. */

import { loadConfig } from '@hairpin/config'
import { createLogger } from '@hairpin/http'
import type { Endpoint } from '@hairpin/stun'
import { familyOf } from '@hairpin/stun'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { mintCredential } from '../../src/credentials/mint.ts'
import type { Sample } from '../../src/engine.ts'
import { HairpinEngine } from '../../src/engines/hairpin/pool.ts'
import { slot } from '../../src/ledger/counters.ts'
import type { SnapshotBatch } from '../../src/ledger/meter.ts'
import { totalsOf } from '../../src/ledger/meter.ts'
import type { RelayAddress } from '../../src/net/addresses.ts'
import { claimPort } from '../../src/net/listen-port.ts'
import { bindUdp } from '../../src/net/udp-socket.ts'
import { RelayClient } from '../support/relay-client.ts'

const secret = 'a-secret-of-the-tests'
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

const local = (address: string): RelayAddress => ({
  family: familyOf(address),
  external: address,
  local: address,
  source: 'configured',
  why: '',
})

async function dualClient(relay: readonly RelayAddress[] = [local('127.0.0.1'), local('::1')]) {
  const config = loadConfig({
    HAIRPIN_WORKERS: '1',
    HAIRPIN_RELAY_PORTS: '41400-41499',
    HAIRPIN_PEER_ALLOW: '127.0.0.0/8,::1/128',
  })
  const port = claimPort(['127.0.0.1'], 0)
  const addresses = { listen: ['127.0.0.1'], own: ['127.0.0.1', '::1'], port, relay }
  const batches: SnapshotBatch[] = []
  const usage = { ingest: (batch: SnapshotBatch) => void batches.push(batch), endEpoch: () => {} }
  const logger = createLogger('silent')
  const engine = new HairpinEngine({ config, addresses, secrets: { turnSecrets: [secret] }, logger, usage })
  cleanUp.push(() => engine.stop())
  await engine.start()
  const { username, credential } = mintCredential({ secret, app: 'shop', user: 'ada', expiry: 4_000_000_000 })
  const client = new RelayClient({ address: '127.0.0.1', port }, { username, password: credential, dual: true })
  cleanUp.push(() => client.close())
  return { engine, client, batches }
}

function echo(address: string): Endpoint {
  const socket = bindUdp({ address, port: 0, family: familyOf(address) })
  cleanUp.push(() => socket.close())
  socket.on('message', (bytes, from) => socket.send(`${from.address} said ${bytes}`, from.port, from.address))
  return { address, port: socket.address().port, family: familyOf(address) }
}

function sumOf(samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number {
  const wanted = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )
  return wanted.reduce((sum, { value }) => sum + value, 0)
}

describe('an allocation with two relayed addresses', () => {
  it('relays to peers of both families, from the address of each, and counts their headers', async () => {
    const { engine, client, batches } = await dualClient()
    const { relayed, additional } = await client.allocated()
    expect([relayed.address, additional?.address]).toEqual(['127.0.0.1', '::1'])
    const [peer4, peer6] = [echo('127.0.0.1'), echo('::1')]
    const channel = await client.bind(peer6)
    await client.permit(peer4)
    client.send(peer4, 'four')
    expect(await client.receive()).toEqual({ text: '127.0.0.1 said four', from: peer4, channel: undefined })
    client.send(peer6, 'six')
    expect(await client.receive()).toEqual({ text: '::1 said six', from: peer6, channel })

    const samples = await engine.snapshot()
    expect(sumOf(samples, 'hairpin_allocations')).toBe(1)
    expect(sumOf(samples, 'hairpin_allocations', { family: 'ipv4' })).toBe(1)
    const egress = sumOf(samples, 'hairpin_relay_egress_bytes_total')
    // The Data indication pads its 19 bytes to 20.
    const toClient = 28 + (20 + 12 + 4 + 20) + (28 + 4 + '::1 said six'.length)
    expect(egress).toBe('four'.length + 28 + ('six'.length + 48) + toClient)
    await client.release()
    await vi.waitFor(() => expect(batches.at(-1)?.allocations[0]?.closedAt).toBeDefined(), 5000)
    const totals = totalsOf(batches.at(-1)!.allocations[0]!, 0)
    expect(totals[slot.to_peer_wire]).toBe('four'.length + 28 + 'six'.length + 48)
    expect(totals[slot.from_peer_wire]).toBe('127.0.0.1 said four'.length + 28 + '::1 said six'.length + 48)
    expect(totals[slot.to_peer_wire]! + totals[slot.to_client_wire]!).toBe(egress)
  })

  it.each([4, 6] as const)('goes on with the other when that of IPv%i is given up', async (given) => {
    const { engine, client } = await dualClient()
    const answer = await client.allocated()
    const relayed = [answer.relayed, answer.additional!] as const
    const peers = [echo('127.0.0.1'), echo('::1')] as const
    await client.permit(peers[0])
    await client.permit(peers[1])
    expect(await client.refresh(0, given)).toBe(0)
    const [gone, left] = given === 4 ? [0, 1] : [1, 0]
    // Its port is free again, and what is sent to it goes nowhere.
    bindUdp(relayed[gone]!).close()
    expect(await client.bindRefused(peers[gone]!)).toBe(443)
    client.send(peers[left]!, 'still here')
    expect((await client.receive()).text).toBe(`${relayed[left]!.address} said still here`)
    expect(() => bindUdp(relayed[left]!)).toThrow('EADDRINUSE')
    expect(await client.refresh(600)).toBe(600)
    await client.release()
    bindUdp(relayed[left]!).close()
    const samples = await engine.snapshot()
    expect(sumOf(samples, 'hairpin_allocations')).toBe(0)
    expect(sumOf(samples, 'hairpin_relay_packets_total')).toBe(2)
  })

  it('has one where the server has addresses of one family, and says why', async () => {
    const { client } = await dualClient([local('127.0.0.1')])
    const { relayed, additional, missing } = await client.allocated()
    expect([relayed.family, additional]).toEqual([4, undefined])
    expect(missing).toMatchObject({ family: 6, code: 440 })
  })
})
