import { beforeAll, describe, expect, test } from 'vitest'
import { call, callFacts, carriedBy, fallSilent, type Guest, hangUp, join, leave } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import { sleep, until } from '../helpers/exec.ts'
import { useStage } from '../helpers/stage.ts'
import { metric } from '../helpers/standalone.ts'

describe.skipIf(!has('chromium')).each(['hairpin', 'node-turn'])('a relay-only call on the engine %s', (engine) => {
  const stage = useStage(() => ({ env: { HAIRPIN_TURN_ENGINE: engine } }))
  let alice: Guest
  let bob: Guest

  beforeAll(async () => {
    const { browser, stack } = stage
    alice = await join(browser, stack.url, { name: 'alice', relayOnly: true })
    bob = await join(browser, stack.url, { name: 'bob', relayOnly: true })
  })

  test('connects, and both sides decode video over a relayed pair', async () => {
    await call(alice, bob)
    for (const guest of [alice, bob]) await carriedBy(guest, { local: 'relay', remote: 'relay', relayProtocol: 'udp' })
  })

  test('is counted while it runs, byte for byte', async () => {
    const before = await relayed()
    await sleep(2000)
    expect(await relayed()).toBeGreaterThan(before)
    await sleep(6000)
    await fallSilent(alice, bob)
    const facts = [await callFacts(alice), await callFacts(bob)]
    const sent = facts.reduce((sum, side) => sum + (side?.bytesSent ?? 0), 0)
    const counted = await relayed()
    expect(Math.abs(counted - sent) / sent).toBeLessThan(0.02)
  })

  test('ends on both sides when one hangs up, and frees its allocations', async () => {
    await hangUp(alice)
    await bob.page.getByTestId('hangup').waitFor({ state: 'detached' })
    await leave(alice, bob)
    await until('no allocation is left', async () => {
      const open = metric(await stage.stack.metrics(), 'hairpin_allocations')
      return open === 0 || undefined
    })
  })

  /** What clients sent to their peers through the relay. */
  async function relayed(): Promise<number> {
    return metric(await stage.stack.metrics(), 'hairpin_relay_bytes_total', { direction: 'client_to_peer' })
  }
})
