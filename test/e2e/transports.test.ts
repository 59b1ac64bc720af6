/** Calls of networks that let no UDP through: Chromium reaches the relay over TCP and TLS. */
import { afterAll, describe, expect, test } from 'vitest'
import { CertificateFolder } from '../../services/turn/test/support/certificates.ts'
import { call, carriedBy, hangUp, leave } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import { useStage } from '../helpers/stage.ts'
import { metric } from '../helpers/standalone.ts'

describe.skipIf(!has('chromium'))('a relay-only call', () => {
  const certificates = new CertificateFolder()
  afterAll(() => certificates.remove())
  const stage = useStage(() => {
    const { cert, key } = certificates.make('relay')
    return {
      env: {
        HAIRPIN_TURNS_PORT: '0',
        HAIRPIN_TLS_CERT: cert,
        HAIRPIN_TLS_KEY: key,
        HAIRPIN_TURN_HOST: 'localhost',
      },
    }
  })

  test.each([
    ['tcp', 'tcp'],
    ['tls', 'tls'],
    ['tls', 'udp'],
  ] as const)('between a client over %s and one over %s decodes video on both sides', async (one, other) => {
    const alice = await stage.enter({ name: 'alice', relayOnly: true, transport: one })
    const bob = await stage.enter({ name: 'bob', relayOnly: true, transport: other })
    await call(alice, bob)
    await carriedBy(alice, { local: 'relay', remote: 'relay', relayProtocol: one })
    await carriedBy(bob, { local: 'relay', remote: 'relay', relayProtocol: other })
    const metrics = await stage.stack.metrics()
    for (const transport of [one, other]) {
      expect(metric(metrics, 'hairpin_allocations', { transport })).toBeGreaterThan(0)
      expect(metric(metrics, 'hairpin_relay_packets_total', { transport })).toBeGreaterThan(100)
    }
    await hangUp(alice)
    await leave(alice, bob)
    await until('no allocation and no connection is left', async () => {
      const after = await stage.stack.metrics()
      const left = metric(after, 'hairpin_allocations') + metric(after, 'hairpin_client_connections')
      return left === 0 || undefined
    })
  })
})
