/** Which peers the default configuration lets nobody reach: classes of addresses x paths x transports, against the core. */
import { loadConfig } from '@hairpin/config'
import { parseAddress } from '@hairpin/stun'
import { describe, expect, test } from 'vitest'
import { CidrSet } from '../../../services/turn/src/core/cidr.ts'
import { type ClientTransport, DEFAULT_PEER_DENY, type Listener } from '../../../services/turn/src/core/index.ts'
import { peerPolicyFor } from '../../../services/turn/src/net/peer-rules.ts'
import { createWorld, RELAY4, RELAY6 } from '../../../services/turn/test/core/world.ts'
import { CLASSES, DISGUISED, disguisesOf, REACHABLE } from './classes.ts'
import { CORE_PATHS, clientOf, type Target } from './core-paths.ts'

/** The host's interfaces beside those it relays from, and the address behind a 1:1 NAT. */
const HOST = ['93.184.216.34', '10.77.0.1', '2a01:4f8::77']
const own = { name: 'the host itself', addresses: [...HOST, ...HOST.flatMap(disguisesOf)] }
const disguisedRelays = { name: 'disguises of a relayed address', addresses: disguisesOf(RELAY4) }

function defaultWorld() {
  const relay = [
    { family: 4, external: RELAY4, local: RELAY4, source: 'configured', why: '' },
    { family: 6, external: RELAY6, local: RELAY6, source: 'configured', why: '' },
  ] as const
  return createWorld({
    peers: peerPolicyFor(loadConfig({}).turn, { relay, own: [RELAY4, RELAY6, ...HOST] }),
    tcpRelay: { worker: 0, workers: 1, maxConnections: 64 },
  })
}

const LISTENERS: readonly Listener[] = (['udp', 'tcp', 'tls'] as const).map((transport: ClientTransport, id) => ({
  id,
  transport,
  local: { address: RELAY4, port: 3478, family: 4 },
}))

const targetOf = (address: string): Target => ({ address, port: 80, family: address.includes(':') ? 6 : 4 })

describe.each(LISTENERS)('over $transport', (listener) => {
  const paths = CORE_PATHS.filter(({ relay }) => relay === 'udp' || listener.transport !== 'udp')

  describe.each(paths)('$name', (path) => {
    const world = defaultWorld()
    const clients = {
      4: clientOf(world, listener, 4, path.relay, 50_000)!,
      6: clientOf(world, listener, 6, path.relay, 50_001)!,
    }
    const reaches = (address: string) => {
      const target = targetOf(address)
      return path.reaches(world, clients[target.family], target)
    }

    test.each([...CLASSES, ...DISGUISED, own, disguisedRelays])('does not reach $name', ({ addresses }) => {
      expect(addresses.filter(reaches)).toEqual([])
      expect(addresses.length).toBeGreaterThan(0)
    })

    test('reaches others', () => {
      expect(Object.values(REACHABLE).filter(reaches)).toEqual(Object.values(REACHABLE))
    })
  })
})

test('over UDP nobody is given a relayed address of TCP', () => {
  expect(clientOf(defaultWorld(), LISTENERS[0]!, 4, 'tcp', 50_000)).toBeUndefined()
})

test('no range of the built-in list is left out of the table', () => {
  const tested = [...CLASSES, ...DISGUISED].flatMap(({ addresses }) =>
    addresses.map((address) => parseAddress(address)!),
  )
  for (const range of DEFAULT_PEER_DENY) {
    const set = new CidrSet([range])
    expect([range, tested.some((address) => set.has(address))]).toEqual([range, true])
  }
})
