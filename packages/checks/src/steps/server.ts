import { isLoopback } from '../addresses.ts'
import { troubleOutcomes } from '../trouble.ts'
import type { Step } from '../types.ts'

/** Whether anything answers at the public origin. */
export const server: Step = {
  id: 'server',
  title: 'Server',
  on: ['node'],
  needs: [],
  outcomes: {
    answered: { verdict: 'passed', means: 'The server answers.' },
    plain: {
      verdict: 'warning',
      means:
        'The server answers, but not over HTTPS: browsers would give its pages no camera, and keys would travel readable.',
      todo: 'Check the https:// address. On the server, point a domain to it and set HAIRPIN_DOMAIN: the certificate then comes by itself.',
    },
    stranger: {
      verdict: 'warning',
      means: 'A web server answers, but not as a Hairpin server does.',
      todo: 'Check the address: it is the origin of a Hairpin server, without a path.',
    },
    draining: {
      verdict: 'warning',
      means:
        'The server answers that it is not in order: it is starting, stopping, or a proxy before it does not reach it.',
      todo: 'Wait a moment and check again; then look at the log of the server and of the proxy.',
    },
    ...troubleOutcomes(
      'the server',
      'Check the address and port of --url. On the server: is the stack running (docker compose ps), and does the firewall let the port in?',
    ),
  },
  async run(driver, context) {
    const facts = await driver.server!(context.log)
    if (facts.state === 'trouble') return { outcome: facts.trouble.kind, detail: facts.trouble.text }
    if (facts.certificate) context.certificates.https = facts.certificate
    const { protocol, hostname } = new URL(driver.origin)
    const detail = `status ${facts.status} in ${Math.round(facts.ms)} ms`
    if (facts.status >= 500) return { outcome: 'draining', detail }
    if (facts.status >= 300) return { outcome: 'stranger', detail }
    const plain = protocol === 'http:' && !isLoopback(hostname)
    return { outcome: plain ? 'plain' : 'answered', detail, facts: { status: facts.status } }
  },
}
