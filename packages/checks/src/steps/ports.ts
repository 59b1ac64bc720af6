import { troubleOutcomes } from '../trouble.ts'
import type { Step } from '../types.ts'

/**
 * The loop stays within the relay, so it passes with every relayed port shut. This step comes from outside, as the packets
 * of a peer without a relay do.
 */
export const ports: Step = {
  id: 'ports',
  title: 'Relayed ports',
  on: ['browser', 'node'],
  needs: ['stun', ['turn-udp', 'turn-tcp', 'turn-tls']],
  outcomes: {
    heard: {
      verdict: 'passed',
      means: 'A peer that uses no relay reaches the relayed addresses: their ports are open.',
    },
    silent: {
      verdict: 'failed',
      means: 'Packets to the relayed addresses do not arrive: calls work only when both sides use the relay.',
      todo: 'Open HAIRPIN_RELAY_PORTS (49152-65535) for UDP in the firewall of the server and of its provider, and look at HAIRPIN_EXTERNAL_IP.',
    },
    denied: {
      verdict: 'skipped',
      means:
        'It takes a client with a public address to tell: the relay does not relay to addresses of its own machine or network. Check from elsewhere.',
    },
    ...troubleOutcomes('the relay', 'The relay was reached a moment ago: check again.'),
  },
  async run(driver, { reached, log }) {
    const facts = await driver.ports(reached[0]!, log)
    if (facts.state === 'trouble') return { outcome: facts.trouble.kind, detail: facts.trouble.text }
    if (facts.state === 'denied')
      return { outcome: 'denied', ...(facts.address ? { detail: `this machine is ${facts.address}` } : {}) }
    const relayed = facts.relayed ?? 'a relayed address'
    if (facts.state === 'silent') return { outcome: 'silent', detail: `nothing arrived at ${relayed}` }
    return { outcome: 'heard', detail: `${relayed} reached in ${Math.round(facts.ms)} ms` }
  },
}
