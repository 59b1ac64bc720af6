/** Every case against every engine over real sockets. What an engine is declared not to do is checked to fail. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CertificateFolder, type TestCertificate } from '../../services/turn/test/support/certificates.ts'
import { PATIENCE, Stage } from './case.ts'
import { CASES } from './cases/index.ts'
import {
  ENGINES,
  IPV6,
  PEERS,
  RELAY_V4,
  RELAY_V6,
  type Relay,
  SERVER,
  SERVER_V6,
  type Settings,
  startRelay,
} from './engines.ts'
import { UNSUPPORTED } from './unsupported.ts'

const BOTH = { relay: [RELAY_V4, RELAY_V6], own: [SERVER, SERVER_V6] }

const folder = new CertificateFolder()
let certificate: TestCertificate
beforeAll(() => {
  certificate = folder.make('relay')
})
afterAll(() => folder.remove())

test('cases have names of their own, and no declaration is for a case that is none', () => {
  const names = new Set(CASES.map(({ name }) => name))
  expect(names.size).toBe(CASES.length)
  for (const engine of ENGINES) for (const name of Object.keys(UNSUPPORTED[engine])) expect(names).toContain(name)
})

describe.each(ENGINES)('the %s engine', (engine) => {
  const declared = UNSUPPORTED[engine]
  const relays = new Map<string, Promise<Relay>>()
  const relay = (settings: Settings, ipv6 = false) => {
    const key = JSON.stringify([settings, ipv6])
    const known = relays.get(key)
    if (known) return known
    const started = ipv6
      ? startRelay(engine, certificate, { ...settings, HAIRPIN_PEER_ALLOW: [...PEERS, SERVER_V6].join() }, BOTH)
      : startRelay(engine, certificate, settings)
    relays.set(key, started)
    return started
  }
  const opened: { close(): void }[] = []
  const stage = (patience: number) => new Stage({ patience, relay, opened: (closable) => opened.push(closable) })
  afterAll(async () => {
    await Promise.all([...relays.values()].map(async (started) => (await started).engine.stop()))
    for (const each of opened) each.close()
  })

  for (const { name, run, ipv6 } of CASES)
    if (declared[name] === undefined) test.skipIf(ipv6 && !IPV6)(name, () => run(stage(PATIENCE.supported)))

  const unsupported = CASES.filter(({ name }) => declared[name] !== undefined)
  describe.runIf(unsupported.length > 0)('is declared not to', () => {
    for (const { name, run } of unsupported)
      test(`${name}: ${declared[name]}`, () => expect(run(stage(PATIENCE.unsupported))).rejects.toThrow())
  })
})
