import { isIpv6 } from '../addresses.ts'
import type { Driver } from '../driver.ts'
import { type RelayTarget, relayTargets } from '../servers.ts'
import type { Step } from '../types.ts'
import { tryTarget } from './turn.ts'

/** Every way to the relay once more, over IPv6 alone. */
export const ipv6: Step = {
  id: 'ipv6',
  title: 'TURN over IPv6',
  on: ['browser', 'node'],
  needs: ['credentials'],
  outcomes: {
    all: { verdict: 'passed', means: 'The relay is reached over IPv6 too.' },
    partly: {
      verdict: 'warning',
      means: 'Over IPv6 some ways to the relay work and some do not.',
      todo: 'Look in the log which. Firewalls have rules of their own for IPv6: give the relay’s ports the same as for IPv4.',
    },
    failed: {
      verdict: 'failed',
      means:
        'The server has an IPv6 address, but the relay is not reached there. Clients with IPv6 lose time on it, those without IPv4 cannot call.',
      todo: 'Firewalls have rules of their own for IPv6: give the relay’s ports the same as for IPv4; or take the AAAA record out.',
    },
    here: {
      verdict: 'skipped',
      means: 'This machine has no IPv6 to the outside, so it cannot be told whether the relay has.',
    },
    server: {
      verdict: 'skipped',
      means:
        'The relay is offered over IPv4 only. Clients in IPv6-only networks get there by NAT64, which such networks have.',
    },
    hidden: {
      verdict: 'skipped',
      means:
        'The relay is named by host names, and a browser does not let a page choose the address: npx hairpin doctor does.',
    },
  },
  async run(driver, context) {
    const targets = relayTargets(context.servers!)
    const six = await overIpv6(driver, targets)
    if (six === undefined) return { outcome: 'hidden' }
    if (six.length === 0) return { outcome: 'server' }
    const results: string[] = []
    let unroutable = 0
    for (const target of six) {
      const { outcome, detail } = await tryTarget(driver, context, target)
      if (outcome === 'unreachable') unroutable++
      results.push(
        `${target.transport}: ${outcome === 'relayed' || outcome === 'local' ? 'reached' : (detail ?? outcome)}`,
      )
    }
    if (unroutable === six.length) return { outcome: 'here' }
    const good = results.filter((result) => result.endsWith(': reached')).length
    const outcome = good === results.length ? 'all' : good > 0 ? 'partly' : 'failed'
    return { outcome, detail: results.join('; '), facts: { ways: results } }
  },
}

/** Undefined where only names are known and no addresses. */
async function overIpv6(driver: Driver, targets: readonly RelayTarget[]): Promise<RelayTarget[] | undefined> {
  const found: RelayTarget[] = []
  let told = false
  for (const target of targets) {
    if (isIpv6(target.host)) found.push({ ...target, family: 6 })
    if (/^[\d.]+$/.test(target.host) || isIpv6(target.host)) {
      told = true
      continue
    }
    const addresses = await driver.addressesOf(target.host)
    if (addresses === undefined) continue
    told = true
    if (addresses[6].length > 0) found.push({ ...target, family: 6 })
  }
  return told ? found : undefined
}
