import { isLocalHost } from '../addresses.ts'
import type { Context } from '../context.ts'
import type { CredentialsFacts, Driver } from '../driver.ts'
import { relayTargets } from '../servers.ts'
import { troubleOutcomes } from '../trouble.ts'
import type { Finding, Need, Outcome, Step } from '../types.ts'

/** Seconds: a call outlives shorter ones without a chance to ask again. */
const SHORT = 300

const outcomes: Readonly<Record<string, Outcome>> = {
  given: { verdict: 'passed', means: 'The server gave credentials for its relay.' },
  short: {
    verdict: 'warning',
    means: 'The credentials end within minutes: a call that changes its network after that cannot use the relay.',
    todo: 'Ask for a longer ttl, or raise HAIRPIN_TTL_DEFAULT or the app’s --ttl-default.',
  },
  expired: {
    verdict: 'failed',
    means: 'The credentials have ended already, by the clock of this machine.',
    todo: 'Compare the clocks of the server and of this machine.',
  },
  local: {
    verdict: 'warning',
    means: 'The relay is named by an address of its own network: clients elsewhere cannot reach it.',
    todo: 'Set HAIRPIN_EXTERNAL_IP to the public address of the server (public/private behind 1:1 NAT), or HAIRPIN_TURN_HOST to its name.',
  },
  'no-relay': {
    verdict: 'failed',
    means: 'The server answers, but names no TURN server.',
    todo: 'Look at the log of the relay: is it running, and did it find its address?',
  },
  guests: {
    verdict: 'failed',
    means: 'This server admits no guests (SIG_GUESTS_OFF), so there is nothing to check its relay with.',
    todo: 'Give a signaling token or an API key: in the field above, or by --token or --api-key.',
  },
  unauthorized: {
    verdict: 'failed',
    means: 'The server does not know this API key or token, or it has ended.',
    todo: 'Copy it again. Keys are in secrets.json of the data folder, or listed by: npx hairpin apps show APP.',
  },
  unavailable: {
    verdict: 'failed',
    means:
      'The server has no credentials to give now: signaling does not reach the relay (SIG_ICE_SERVERS_UNAVAILABLE).',
    todo: 'Is the relay running? Look at its log and at that of the signaling service.',
  },
  rejected: {
    verdict: 'failed',
    means: 'The server refused to give credentials.',
    todo: 'Its code is in the log of this step; docs/ERRORS.md says what to do.',
  },
  limited: {
    verdict: 'failed',
    means: 'This address asked too often (TURN_RATE_LIMITED).',
    todo: 'Wait a minute and check again.',
  },
  withheld: {
    verdict: 'failed',
    means: 'The key was not sent: the server did not prove who it is, so anybody on the way could read the key.',
    todo: 'Mend the certificate, or use the https:// address. If you trust the way to the server, add --insecure.',
  },
  odd: {
    verdict: 'failed',
    means: 'What came back is not an answer of a Hairpin server.',
    todo: 'Check that the address is its origin, without a path, and that no proxy answers in its place.',
  },
  ...troubleOutcomes('the credentials API', 'Check the address, and that the proxy passes /api/ on.'),
}

function credentialsStep(
  needs: readonly Need[],
  ask: (driver: Driver, context: Context) => Promise<CredentialsFacts>,
): Step {
  return {
    id: 'credentials',
    title: 'Credentials',
    on: ['browser', 'node'],
    needs,
    outcomes,
    run: async (driver, context) => judge(await ask(driver, context), driver, context),
  }
}

function judge(facts: CredentialsFacts, driver: Driver, context: Context): Finding {
  switch (facts.state) {
    case 'trouble':
      return { outcome: facts.trouble.kind, detail: facts.trouble.text }
    case 'withheld':
      return { outcome: 'withheld' }
    case 'odd':
      return { outcome: 'odd', detail: facts.text }
    case 'refused': {
      const { code, status, message } = facts
      context.log(`${code}: ${message}`)
      return {
        outcome: refusals[code] ?? (status === 401 ? 'unauthorized' : status === 404 ? 'odd' : 'rejected'),
        detail: code,
      }
    }
    case 'given':
      return given(facts, driver, context)
  }
}

const refusals: Readonly<Record<string, string>> = {
  SIG_GUESTS_OFF: 'guests',
  SIG_ICE_SERVERS_UNAVAILABLE: 'unavailable',
  SIG_TOKEN_INVALID: 'unauthorized',
  SIG_TOKEN_EXPIRED: 'unauthorized',
  TURN_UNAUTHORIZED: 'unauthorized',
  TURN_RATE_LIMITED: 'limited',
}

function given(
  { answer, ms }: Extract<CredentialsFacts, { state: 'given' }>,
  driver: Driver,
  context: Context,
): Finding {
  context.servers = answer
  const urls = answer.iceServers.flatMap((server) => server.urls)
  for (const url of urls) context.log(url)
  const targets = relayTargets(answer)
  const hosts = [...new Set(targets.map(({ host }) => host))]
  const left = Math.round((Date.parse(answer.expiresAt) - context.clock.date()) / 1000)
  const detail = `${hosts.join(', ') || 'no relay'}; valid until ${answer.expiresAt}, in ${Math.round(ms)} ms`
  const finding = (outcome: string): Finding => ({
    outcome,
    detail,
    facts: { urls, hosts, ttl: answer.ttl, expiresAt: answer.expiresAt },
  })
  if (targets.length === 0) return finding('no-relay')
  if (left <= 0) return finding('expired')
  if (hosts.some(isLocalHost) && !isLocalHost(new URL(driver.origin).hostname)) return finding('local')
  return finding(answer.ttl < SHORT ? 'short' : 'given')
}

/** As a guest of the demo, over the signaling socket. */
export const guestCredentials = credentialsStep(['websocket'], (driver, { log }) => driver.guestCredentials(log))

/** With an API key or a token. */
export const apiCredentialsOfPage = credentialsStep([], (driver, { log }) => driver.apiCredentials(log))
export const apiCredentialsOfNode: Step = { ...apiCredentialsOfPage, needs: ['server'] }
