import { expect, it } from 'vitest'
import { AddressWatch } from '../../src/net/address-watch.ts'
import type { AddressSource, RelayAddress } from '../../src/net/addresses.ts'

const address = (external: string, source: AddressSource = 'stun', local = '10.0.0.5'): RelayAddress => ({
  family: external.includes(':') ? 6 : 4,
  external,
  local,
  source,
  why: 'the test says so',
})

function watching(first: RelayAddress, ...answers: (RelayAddress | Error)[]) {
  const told: string[] = []
  const stranded: string[] = []
  const watch = new AddressWatch({
    first: [first],
    interval: 0,
    detect: async () => {
      const answer = answers.shift() ?? first
      if (answer instanceof Error) throw answer
      return [answer]
    },
    changed: (relay) => told.push(...relay.map(({ external }) => external)),
    stranded: (what) => stranded.push(what),
  })
  return { watch, told, stranded }
}

const [old, other, third] = [address('93.184.216.34'), address('93.184.216.35'), address('93.184.216.36')]

it('takes up another address that two looks agree on', async () => {
  const { watch, told } = watching(old, other, other)
  await watch.look()
  expect([told, watch.changes]).toEqual([['93.184.216.35'], 1])
})

it('takes up the public address of a host that had no way to the internet before', async () => {
  const { watch, told } = watching(address('10.0.0.5', 'private'), old, old)
  await watch.look()
  expect(told).toEqual(['93.184.216.34'])
})

it('stays with what it has when looks disagree, fail, or find an address that reaches less far', async () => {
  const lan = address('10.0.0.5', 'private')
  const { watch, told } = watching(old, other, third, new Error('no addresses'), lan, lan, old)
  for (let i = 0; i < 5; i++) await watch.look()
  expect([told, watch.changes]).toEqual([[], 0])
})

it('tells once when the sockets are bound to an address that is not used any more', async () => {
  const moved = address('93.184.216.35', 'stun', '10.0.0.9')
  const { watch, told, stranded } = watching(old, moved, moved, moved, moved)
  await watch.look()
  await watch.look()
  expect([told, stranded]).toEqual([[], ['93.184.216.34 to 93.184.216.35 (the test says so)']])
})
