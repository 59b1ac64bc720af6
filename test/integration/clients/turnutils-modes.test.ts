/** coturn's client in the modes beyond plain relaying: address families, mobility, channel padding, DONT-FRAGMENT, Binding. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { has } from '../../helpers/capabilities.ts'
import { type Background, background, exec } from '../../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../../helpers/relay-process.ts'
import { attempt, expectLossless, uclient } from '../../helpers/turnutils.ts'

const secret = 'a-shared-secret-of-the-test'
const peerPort = '33482'
const echo4 = ['-e', '127.0.0.2', '-r', peerPort, '-m', '2']
const echo6 = ['-e', '::1', '-r', peerPort, '-m', '2']
const eachOther = ['-y', '-m', '4']

let folder: string
let relay: RelayProcess
let peer: Background

beforeAll(async () => {
  if (!has('coturn')) return
  folder = await mkdtemp(join(tmpdir(), 'hairpin-modes-'))
  peer = background('turnutils_peer', ['-L', '127.0.0.2', '-L', '::1', '-p', peerPort])
  relay = await startRelay(folder, {
    HAIRPIN_TURN_SECRETS: secret,
    HAIRPIN_LISTEN_IPS: '127.0.0.1,::1',
    HAIRPIN_PEER_ALLOW: '127.0.0.2/32,::1/128',
  })
})

afterAll(async () => {
  await peer?.stop()
  await relay?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
})

// They wait on timers of their own most of the time.
describe.skipIf(!has('coturn')).concurrent('turnutils_uclient', () => {
  test.each([
    ['an IPv6 relayed address for an IPv4 client (-x)', '127.0.0.1', ['-x', ...echo6]],
    ['an IPv6 relayed address for an IPv6 client, by indications (-x -s)', '::1', ['-x', '-s', ...echo6]],
    ['an IPv6 relayed address over TCP (-x -t)', '::1', ['-x', '-t', ...echo6]],
    ['client to client through IPv6 relayed addresses (-x -y)', '::1', ['-x', ...eachOther]],
    ['an IPv4 relayed address for an IPv6 client (-X)', '::1', ['-X', ...echo4]],
    ['padded channel data over UDP (-D)', '127.0.0.1', ['-D', '-l', '101', ...echo4]],
    ['a relayed address of each family, to an IPv4 peer (-Z)', '127.0.0.1', ['-Z', ...echo4]],
    ['a relayed address of each family, to an IPv6 peer by indications (-Z -s)', '::1', ['-Z', '-s', ...echo6]],
    ['a relayed address of each family over TCP (-Z -t)', '127.0.0.1', ['-Z', '-t', ...echo6]],
    ['a client that changes its port, by indications (-M -s)', '127.0.0.1', ['-M', '-s', ...echo4]],
    ['clients that change their ports, to each other (-M -y)', '127.0.0.1', ['-M', ...eachOther]],
  ])('relays without loss: %s', async (what, server, args) => {
    expectLossless(await uclient(...common(what), ...args, server))
  })

  test('is refused DONT-FRAGMENT (-g) with 420: a socket of Node cannot set it', async () => {
    const output = await attempt(20, [...common('df'), '-g', ...echo4, '127.0.0.1'])
    expect(output).toContain('error 420 (Unknown Attribute)')
  })
})

describe.skipIf(!has('coturn'))('turnutils_stunclient', () => {
  test.each(['127.0.0.1', '::1'])('is told its address, asking %s', async (server) => {
    const output = await exec('timeout', '20', 'turnutils_stunclient', '-p', String(relay.port), '-L', server, server)
    expect(output).toContain(`UDP reflexive addr: ${server}:`)
  })
})

/** A user of its own for each test: one user's allocations are limited. */
function common(what: string): string[] {
  const user = `shop/${what.replaceAll(/\W+/g, '-')}`
  return ['-n', '30', '-c', '-u', user, '-W', secret, '-p', String(relay.port)]
}
