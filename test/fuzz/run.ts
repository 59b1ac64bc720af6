/**
 * Long fuzzing of codec and server core: `node test/fuzz/run.ts [inputs] [seed]`, a million inputs by default.
 * Prints the heap before and after; an exception ends it with the input in hex.
 */

import { ALICE, createPeer, createWorld, PEER, perform, UDP } from '../../services/turn/test/core/world.ts'
import { createRandom, mutate, randomDatagram } from './mutate.ts'

const inputs = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31)
const random = createRandom(seed)
const world = createWorld()
const alice = createPeer(world, ALICE)
alice.allocate()
alice.permit(PEER)
alice.bind(PEER)
alice.refresh(3600)
const corpus = [...alice.requests, alice.client.send({ ...PEER, port: 1 }, Buffer.from('payload'))]
world.events.requests.length = 0

const heap = () => Math.round(process.memoryUsage().heapUsed / 1024)
const before = heap()
for (let i = 0; i < inputs; i++) {
  const bytes = random(3) === 0 ? randomDatagram(random) : mutate(corpus[random(corpus.length)]!, random)
  try {
    perform(world, world.server.receive(bytes, UDP, ALICE, world.clock.now))
  } catch (error) {
    console.error(`seed ${seed}, input ${i}: ${Buffer.from(bytes).toString('hex')}`)
    throw error
  }
  world.events.requests.length = 0
  world.events.authFailures.length = 0
}
console.log(
  `${inputs} inputs, seed ${seed}: heap ${before} KiB before, ${heap()} KiB after, ${world.server.allocations.size} allocation`,
)
