import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

/** A folder of self-signed certificates made by openssl. */
export class CertificateFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'hairpin-tls-'))

  make(name: string, host = 'localhost', days = 30): TestCertificate {
    const files = { cert: join(this.path, `${name}.pem`), key: join(this.path, `${name}.key`) }
    const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},IP:127.0.0.1`]
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', files.key]
    execFileSync('openssl', ['req', '-x509', ...key, '-out', files.cert, '-days', String(days), ...subject], {
      stdio: 'pipe',
    })
    return files
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
