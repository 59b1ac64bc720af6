/** NAT behaviour discovery (RFC 5780) on two addresses of loopback, as coturn's own clients see it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { has } from '../helpers/capabilities.ts'
import { exec } from '../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../helpers/relay-process.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function relayWith(env: Record<string, string> = {}): Promise<RelayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-discovery-'))
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }))
  const relay = await startRelay(folder, { HAIRPIN_LISTEN_IPS: '127.0.0.1,127.0.0.2', ...env })
  cleanUp.push(relay.stop)
  return relay
}

/** Values of lines such as `0: : IPv4. Response origin: : 127.0.0.2:33679`, in order. */
function told(output: string, what: string): string[] {
  return [...output.matchAll(new RegExp(`${what}: : (\\S+)`, 'g'))].map(([, value]) => value!)
}

describe.skipIf(!has('coturn'))('with two addresses', () => {
  const discovery = { HAIRPIN_DISCOVERY_IPS: '127.0.0.1,127.0.0.2', HAIRPIN_DISCOVERY_PORT: '0' }

  test('turnutils_natdiscovery sees every one of the four answer, with padding too', async () => {
    const { port } = await relayWith(discovery)
    for (const options of [[], ['-P']]) {
      const output = await exec(
        'timeout',
        '30',
        'turnutils_natdiscovery',
        '-m',
        '-f',
        ...options,
        '-p',
        `${port}`,
        '127.0.0.1',
      )
      expect(output).toContain('NAT with Endpoint Independent Mapping')
      expect(output).toContain('NAT with Endpoint Independent Filtering')
      const other = told(output, 'Other addr')[0]!
      const otherPort = other.split(':')[1]
      expect(other).toBe(`127.0.0.2:${otherPort}`)
      expect(otherPort).not.toBe(`${port}`)
      const origins = new Set(told(output, 'Response origin'))
      for (const origin of [`127.0.0.1:${port}`, `127.0.0.2:${port}`, other]) expect(origins).toContain(origin)
    }
  })

  test('turnutils_stunclient is told the address its answers come from and the other one', async () => {
    const { port } = await relayWith(discovery)
    const output = await exec('timeout', '30', 'turnutils_stunclient', '-f', '-p', `${port}`, '127.0.0.1')
    expect(told(output, 'Response origin')[0]).toBe(`127.0.0.1:${port}`)
    expect(told(output, 'Other addr')[0]).toMatch(/^127\.0\.0\.2:/)
    expect(output).toContain('UDP reflexive addr: 127.0.0.1:')
  })
})

test('an address that the relay does not listen on stops the start, and the variable is named', async () => {
  await expect(relayWith({ HAIRPIN_DISCOVERY_IPS: '127.0.0.1,127.0.0.3' })).rejects.toThrow('HAIRPIN_DISCOVERY_IPS')
})
