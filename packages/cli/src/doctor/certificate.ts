import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { CertificateFacts } from '@hairpin/checks'

const problems: Readonly<Record<string, NonNullable<CertificateFacts['problem']>>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name',
}

/** Options of a TLS connection that is looked at, good or not: whom to ask for, and nothing refused. */
export function lookingAt(host: string) {
  return {
    rejectUnauthorized: false,
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
    // RFC 6066 section 3: an address is not sent as a name.
    ...(isIP(host) ? {} : { servername: host }),
  }
}

/** What a connection made with `lookingAt` found; undefined when the server sent no certificate. */
export function certificateFacts(socket: TLSSocket, host: string): CertificateFacts | undefined {
  const certificate = socket.getPeerCertificate()
  if (!certificate?.valid_to) return undefined
  const code = errorCode(socket)
  const names = (certificate.subjectaltname ?? '')
    .split(', ')
    .filter(Boolean)
    .map((name) => name.replace(/^(DNS|IP Address):/, ''))
  return {
    host,
    names: names.length > 0 ? names : [certificate.subject.CN ?? ''].flat().filter(Boolean),
    issuer: [certificate.issuer.O, certificate.issuer.CN].flat().filter(Boolean).join(', '),
    validTo: Date.parse(certificate.valid_to),
    ...(code === undefined ? {} : { problem: problems[code] ?? 'other', reason: code }),
  }
}

/** Node gives the code of OpenSSL as text, or an error of its own. */
function errorCode(socket: TLSSocket): string | undefined {
  const error: unknown = socket.authorizationError
  if (!error) return undefined
  return typeof error === 'string' ? error : ((error as NodeJS.ErrnoException).code ?? String(error))
}
