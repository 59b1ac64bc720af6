import { spawnSync } from 'node:child_process'
import type { Contender } from './contender.ts'

let version: string | undefined

function found(): string | undefined {
  version ??= spawnSync('turnserver', ['--version'], { encoding: 'utf8' }).stdout?.trim().split('\n').at(-1) ?? ''
  return version || undefined
}

/** One relay thread, no log, no TLS, no database: the relay alone. */
export const coturn: Contender = {
  name: 'coturn',
  about: 'coturn (Debian package), one relay thread',
  via: 'channel',
  cores: 1,
  unavailable: () => (found() ? undefined : 'turnserver is not installed (Debian package coturn)'),
  command: ({ address, port, realm, secret }) => ({
    argv: [
      'turnserver',
      '-n',
      '-m',
      '1',
      '-L',
      address,
      '-E',
      address,
      '-p',
      `${port}`,
      '-r',
      realm,
      '--use-auth-secret',
      `--static-auth-secret=${secret}`,
      '--allow-loopback-peers',
      '--no-cli',
      '--no-tls',
      '--no-dtls',
      '--no-stdout-log',
      '--log-file',
      '/dev/null',
      '--simple-log',
      '--pidfile',
      '/dev/null',
    ],
  }),
}
