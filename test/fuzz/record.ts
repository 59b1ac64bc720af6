/**
 * Writes the corpus: `node test/fuzz/record.ts`. One file for each message of sessions that use all the server knows, and
 * for each published vector, in hex. The sessions are deterministic, so the files only change when the protocol does.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { Class, type ClientOutput, MessageWriter, Method, methodName, parseMessage } from '@hairpin/stun'
import { createPeer, createWorld, PEER, PEER6 } from '../../services/turn/test/core/world.ts'
import { RFC5769 } from '../vectors/rfc5769.ts'
import { RFC8489_B1 } from '../vectors/rfc8489.ts'
import { CORPUS, FUZZ_OPTIONS, TUPLES } from './target.ts'

const messages = new Map<string, Uint8Array>()
const add = (name: string, bytes: Uint8Array) => messages.set(`${name}-${messages.size}`, bytes)

const world = createWorld(FUZZ_OPTIONS)
const sessions = [
  {},
  { sha256: true, dual: true, mobility: true, software: 'fuzz' },
  { evenPort: { reserve: true }, lifetime: 900 },
  { family: 6 as const, fingerprint: false },
]
sessions.forEach((options, i) => {
  const peer = createPeer(world, TUPLES[i]!, options)
  const target = options.family === 6 ? PEER6 : PEER
  const steps: (() => ClientOutput[])[] = [
    () => peer.run(peer.client.binding(world.clock.now)),
    peer.allocate,
    () => peer.permit(target),
    () => peer.bind(target),
    () => peer.refresh(1200),
  ]
  for (const step of steps) step()
  for (const bytes of peer.requests) {
    const parsed = parseMessage(bytes)
    add(parsed.ok ? methodName(parsed.message.method) : 'other', bytes)
  }
  add('send', peer.client.send({ ...target, port: 1 }, Buffer.from('payload')))
  add('channel-data', peer.client.send(target, Buffer.from('payload')))
})
add('bare', new MessageWriter(Method.Allocate, Class.Request, new Uint8Array(12)).finish())
for (const { name, bytes } of RFC5769) add(`rfc5769-${name.replace(/[^\w]+/g, '-')}`, bytes)
add('rfc8489-b1', RFC8489_B1.bytes)

rmSync(CORPUS, { recursive: true, force: true })
mkdirSync(CORPUS)
for (const [name, bytes] of messages)
  writeFileSync(new URL(`${name}.hex`, CORPUS), `${Buffer.from(bytes).toString('hex')}\n`)
console.log(`${messages.size} messages`)
