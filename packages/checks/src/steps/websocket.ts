import type { SocketFacts } from '../driver.ts'
import { troubleOutcomes } from '../trouble.ts'
import type { Finding, Step } from '../types.ts'

const forward =
  'Have the proxy pass on the headers Upgrade and Connection for /ws, as the Caddyfile of this project does; other proxies need a setting for it.'

/** The signaling socket of docs/PROTOCOL.md: upgrade, subprotocol, `id`. */
const webSocket: Step = {
  id: 'websocket',
  title: 'WebSocket',
  on: ['browser', 'node'],
  needs: [],
  outcomes: {
    open: { verdict: 'passed', means: 'Signaling works: the socket opened and the server greeted it.' },
    slow: {
      verdict: 'warning',
      means: 'Signaling works, but it took long: calls ring late.',
      todo: 'Check again at another time and from another network; if it stays, look at the load of the server.',
    },
    subprotocol: {
      verdict: 'warning',
      means:
        'The server did not choose the subprotocol "json": something on the way takes it out, and strict clients hang up.',
      todo: 'Have the proxy pass on Sec-WebSocket-Protocol.',
    },
    mute: {
      verdict: 'failed',
      means:
        'The socket opened, but no greeting ("id") came over it: it is another service, or a proxy holds frames back.',
      todo: 'Check that the address is that of a Hairpin server, and that the proxy does not buffer /ws.',
    },
    origin: {
      verdict: 'failed',
      means: 'The server lets no pages of this origin connect (SIG_ORIGIN_DENIED).',
      todo: 'The operator adds the origin to HAIRPIN_ORIGINS; behind a proxy, have it pass on the Host header as it came.',
    },
    full: {
      verdict: 'failed',
      means: 'The server holds as many connections as it may, in all or of this address.',
      todo: 'Close other pages of this server and try again. The operator may raise HAIRPIN_SOURCE_CONNECTIONS or HAIRPIN_MAX_CONNECTIONS.',
    },
    'no-upgrade': {
      verdict: 'failed',
      means:
        'The request reached the signaling service, but no longer as a WebSocket: a proxy in between does not pass upgrades on.',
      todo: forward,
    },
    missing: {
      verdict: 'failed',
      means: 'There is a web server at this address, but no signaling at /ws.',
      todo: 'Check the address: it is the origin of a Hairpin server, without a path. If it is, have the proxy pass /ws on.',
    },
    gateway: {
      verdict: 'failed',
      means: 'The proxy before the signaling service does not reach it.',
      todo: 'Is the signaling service running (docker compose ps)? Look at its log and at the proxy’s.',
    },
    denied: {
      verdict: 'failed',
      means: 'Something refused the WebSocket: a proxy, a firewall of this network, or the server.',
      todo: 'Try from another network. If it fails there too, look at what stands before the server.',
    },
    closed: {
      verdict: 'failed',
      means: 'The socket opened and was closed at once.',
      todo: 'The close code says why (docs/PROTOCOL.md); 1006 means that something on the way cut it.',
    },
    ...troubleOutcomes('the signaling service', 'Check the address, and that the firewall lets its port in.'),
  },
  async run(driver, { log }) {
    return judge(await driver.socket(log))
  },
}

function judge(facts: SocketFacts): Finding {
  switch (facts.state) {
    case 'trouble':
      return { outcome: facts.trouble.kind, detail: facts.trouble.text }
    case 'closed':
      return { outcome: 'closed', detail: `closed with ${facts.code}${facts.reason ? ` (${facts.reason})` : ''}` }
    case 'refused':
      return refused(facts)
    case 'open': {
      const { openMs, idMs, protocol } = facts
      if (idMs === undefined) return { outcome: 'mute', detail: `open in ${Math.round(openMs)} ms, then nothing` }
      const detail = `open in ${Math.round(openMs)} ms, greeted after ${Math.round(idMs)} ms`
      const outcome = protocol !== 'json' ? 'subprotocol' : idMs > 3000 ? 'slow' : 'open'
      return { outcome, detail, facts: { openMs: Math.round(openMs), idMs: Math.round(idMs), protocol } }
    }
  }
}

/** A browser does not say with which status; then what plain HTTP draws at the same address helps. */
function refused({ status, code, plainStatus }: Extract<SocketFacts, { state: 'refused' }>): Finding {
  const detail =
    status === undefined
      ? `plain HTTP there: status ${plainStatus ?? 'unknown'}`
      : `status ${status}${code ? `, ${code}` : ''}`
  const facts = { status, code, plainStatus }
  const found = (outcome: string): Finding => ({ outcome, detail, facts })
  if (code === 'SIG_ORIGIN_DENIED') return found('origin')
  if (code === 'SIG_FULL' || code === 'SIG_TOO_MANY_CONNECTIONS') return found('full')
  const known = status ?? plainStatus
  // To a plain request a signaling service in order says 426; to an upgrade only when it no longer is one.
  if (known === 426) return found('no-upgrade')
  if (known === 404 || known === 405 || (status !== undefined && status < 400)) return found('missing')
  if (known === 502 || known === 503 || known === 504) return found('gateway')
  return found('denied')
}

export const websocketOfPage = webSocket
/** A program has to find the server first. */
export const websocketOfNode: Step = { ...webSocket, needs: ['server'] }
