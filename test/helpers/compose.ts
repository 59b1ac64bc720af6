import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec } from './exec.ts'
import { ownedName } from './names.ts'

export const root = join(import.meta.dirname, '..', '..')

/** The services that run without Grafana, whose image exists in no package archive. */
export const services = ['turn', 'signaling', 'caddy', 'prometheus'] as const
export type Service = (typeof services)[number]

export interface ComposeProject {
  readonly name: string
  /** The compose file, and the override that hands this machine's npm configuration to the builds. */
  readonly files: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** `docker compose` on this project; `files` adds overrides, `env` settings. */
  readonly run: (args: readonly string[], more?: { files?: string[]; env?: Record<string, string> }) => Promise<string>
  /** Containers, networks, volumes and images. */
  readonly remove: () => Promise<void>
}

/** A project of its own name on this repository's compose file. No .env file is read, as on a fresh clone. */
export async function composeProject(): Promise<ComposeProject> {
  const name = ownedName('compose')
  const secrets = await npmSecrets()
  const files = ['docker-compose.yml', 'infra/compose/build-secrets.yml']
  const run: ComposeProject['run'] = (args, { files: extra = [], env = {} } = {}) => {
    const options = [...files, ...extra].flatMap((file) => ['-f', join(root, file)])
    const settings = Object.entries({ ...secrets.env, ...env }).map(([key, value]) => `${key}=${value}`)
    const fixed = ['--env-file', '/dev/null', '-p', name, '--project-directory', root]
    return exec('env', ...settings, 'docker', 'compose', ...fixed, ...options, ...args)
  }
  const remove = async () => {
    await run(['down', '--volumes', '--rmi', 'local', '--timeout', '5'])
    await rm(secrets.folder, { recursive: true, force: true })
  }
  return { name, files, env: secrets.env, run, remove }
}

/** What `npm ci` inside the image builds needs on this machine: its npm configuration and its CAs. */
async function npmSecrets() {
  const folder = await mkdtemp(join(tmpdir(), 'hairpin-npm-'))
  const setting = async (key: string) => (await exec('npm', 'config', 'get', key)).trim()
  const parts = [await setting('globalconfig'), await setting('userconfig')].map((path) =>
    readFile(path, 'utf8').catch(() => ''),
  )
  // Paths of this machine mean nothing in there.
  const lines = (await Promise.all(parts)).join('\n').split('\n')
  const npmrc = join(folder, 'npmrc')
  await writeFile(npmrc, lines.filter((line) => !/^\s*(cafile|prefix|cache)\s*=/.test(line)).join('\n'))
  await chmod(npmrc, 0o600)
  const candidates = [await setting('cafile'), process.env.NODE_EXTRA_CA_CERTS, '/etc/ssl/certs/ca-certificates.crt']
  const ca = join(folder, 'ca.pem')
  let bundle = ''
  for (const path of candidates) bundle ||= path && path !== 'null' ? await readFile(path, 'utf8').catch(() => '') : ''
  await writeFile(ca, bundle)
  return { folder, env: { HAIRPIN_BUILD_NPMRC: npmrc, HAIRPIN_BUILD_CA: ca } }
}
