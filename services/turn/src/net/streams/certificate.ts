/** The TLS certificate and its key: read from their files, and again when they change, while connections go on. */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { ConfigError } from '@hairpin/config'

/** Milliseconds between looks at the files: by path, so that a replaced symbolic link is noticed too. */
const LOOK_EVERY = 2000

export interface CertificateFiles {
  /** PEM: the certificate, then its intermediates. */
  readonly cert: string
  /** PEM, not encrypted. */
  readonly key: string
}

export interface LoadedCertificate {
  readonly context: SecureContext
  /** Seconds since the epoch. */
  readonly expiresAt: number
  readonly leaf: X509Certificate
  /** Of both files: tells whether anything changed. */
  readonly digest: string
}

/** @throws ConfigError naming the variable whose file is wrong. */
export function loadCertificate(files: CertificateFiles): LoadedCertificate {
  const cert = attempt('HAIRPIN_TLS_CERT', files.cert, () => readFileSync(files.cert))
  const key = attempt('HAIRPIN_TLS_KEY', files.key, () => readFileSync(files.key))
  const leaf = attempt('HAIRPIN_TLS_CERT', files.cert, () => new X509Certificate(cert))
  const privateKey = attempt('HAIRPIN_TLS_KEY', files.key, () => createPrivateKey(key))
  if (!leaf.checkPrivateKey(privateKey))
    throw new ConfigError('HAIRPIN_TLS_KEY', `${files.key} is not the key of the certificate in ${files.cert}`)
  const context = attempt('HAIRPIN_TLS_CERT', files.cert, () =>
    createSecureContext({ cert, key, minVersion: 'TLSv1.2' }),
  )
  const digest = createHash('sha256').update(cert).update(key).digest('base64')
  return { context, expiresAt: Math.floor(leaf.validToDate.getTime() / 1000), leaf, digest }
}

function attempt<T>(variable: string, path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw new ConfigError(variable, `cannot use ${path}: ${(error as Error).message}`)
  }
}

/** What is worth a warning about a certificate that works: it is over, or browsers will not take it for this host. */
export function certificateDoubts({ leaf }: LoadedCertificate, host: string | undefined, now: number): string[] {
  const doubts: string[] = []
  if (leaf.validToDate.getTime() < now) doubts.push(`the TLS certificate expired on ${leaf.validTo}`)
  if (leaf.validFromDate.getTime() > now) doubts.push(`the TLS certificate is not valid before ${leaf.validFrom}`)
  if (host === undefined)
    doubts.push('TURN over TLS is listened to but not offered: set HAIRPIN_TURN_HOST to the name in the certificate')
  else if ((isIP(host) ? leaf.checkIP(host) : leaf.checkHost(host)) === undefined)
    doubts.push(`the TLS certificate is not for ${host} (HAIRPIN_TURN_HOST): browsers will refuse it`)
  return doubts
}

export interface CertificateEvents {
  changed(certificate: LoadedCertificate): void
  /** The new files cannot be used; the former certificate stays. */
  failed(error: Error): void
}

/** The certificate in force. */
export class Certificate {
  readonly #files: CertificateFiles
  readonly #events: CertificateEvents
  readonly #look = () => this.reload()
  #current: LoadedCertificate

  /** @throws ConfigError */
  constructor(files: CertificateFiles, events: CertificateEvents) {
    this.#files = files
    this.#events = events
    this.#current = loadCertificate(files)
  }

  get current(): LoadedCertificate {
    return this.#current
  }

  watch(interval = LOOK_EVERY): void {
    for (const path of [this.#files.cert, this.#files.key]) watchFile(path, { interval, persistent: false }, this.#look)
  }

  close(): void {
    for (const path of [this.#files.cert, this.#files.key]) unwatchFile(path, this.#look)
  }

  /** Between the writes of two files they do not belong together: that fails here, and the second change mends it. */
  reload(): void {
    try {
      const next = loadCertificate(this.#files)
      if (next.digest === this.#current.digest) return
      this.#current = next
      this.#events.changed(next)
    } catch (error) {
      this.#events.failed(error as Error)
    }
  }
}
