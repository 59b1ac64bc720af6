import type { Context } from '../context.ts'
import type { CertificateFacts } from '../driver.ts'
import type { Finding, Need, Outcome, Step, StepId } from '../types.ts'

const day = 86_400_000
/** Days: what renews itself does so earlier. */
const SOON = 14

/** Of two places there are certificates: HTTPS and TURN over TLS. Browsers tell nothing of either. */
function certificateStep(
  id: StepId,
  title: string,
  needs: readonly Need[],
  of: (context: Context) => CertificateFacts | undefined,
  words: { readonly effect: string; readonly mend: string; readonly none: string },
): Step {
  const { effect, mend, none } = words
  const bad = (means: string, todo: string): Outcome => ({ verdict: 'warning', means: `${means} ${effect}`, todo })
  return {
    id,
    title,
    on: ['node'],
    needs,
    outcomes: {
      good: { verdict: 'passed', means: 'It is of a known authority, for this very name, and in date.' },
      none: { verdict: 'skipped', means: none },
      soon: {
        verdict: 'warning',
        means: 'It is good, but it ends soon.',
        todo: `Look why it was not renewed. ${mend}`,
      },
      expired: { verdict: 'failed', means: `It has expired. ${effect}`, todo: mend },
      'not-yet-valid': bad('It counts from a later time on.', 'Compare the clocks of the server and of this machine.'),
      'self-signed': bad('It is signed by itself and not by an authority.', mend),
      'unknown-authority': bad(
        'It is of an authority that is not known here, or the certificates between are missing.',
        `Give the whole chain (fullchain.pem), not the certificate alone. ${mend}`,
      ),
      name: bad('It is for other names than the one in the URL.', mend),
      other: bad('It could not be verified.', mend),
    },
    async run(_, context) {
      const certificate = of(context)
      return certificate ? judge(certificate, context) : { outcome: 'none' }
    },
  }
}

function judge(certificate: CertificateFacts, { clock, log }: Context): Finding {
  const { host, names, issuer, validTo, problem, reason } = certificate
  const days = Math.floor((validTo - clock.date()) / day)
  const until = new Date(validTo).toISOString().slice(0, 10)
  log(
    `asked as ${host}; the certificate is for ${names.join(', ') || 'no name'}, by ${issuer || 'itself'}, until ${until}`,
  )
  if (reason) log(`not verified: ${reason}`)
  const detail = `${names.join(', ') || 'no name'}; until ${until}, ${days} days left`
  const facts = { host, names, issuer, until, daysLeft: days, reason }
  if (days < 0 || problem === 'expired') return { outcome: 'expired', detail, facts }
  if (problem) return { outcome: problem, detail, facts }
  return { outcome: days < SOON ? 'soon' : 'good', detail, facts }
}

export const certificate = certificateStep(
  'certificate',
  'HTTPS certificate',
  ['server'],
  (c) => c.certificates.https,
  {
    effect: 'Browsers warn of the page, and apps refuse to connect.',
    mend: 'Point a domain to the server and set HAIRPIN_DOMAIN: Caddy gets and renews a certificate by itself.',
    none: 'There is no HTTPS at this address.',
  },
)

export const turnsCertificate = certificateStep(
  'turns-certificate',
  'Certificate of the relay',
  ['turn-tls'],
  (c) => c.certificates.turns,
  {
    effect: 'Browsers and libwebrtc refuse such a turns: server without a word.',
    mend: 'Give HAIRPIN_TLS_CERT (with its chain) and HAIRPIN_TLS_KEY of a public authority for the name in HAIRPIN_TURN_HOST; the relay takes up new files by itself.',
    none: 'No certificate was seen.',
  },
)
