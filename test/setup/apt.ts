import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, must, run, SetupError, step } from './shell.ts'

const aptEnv = { DEBIAN_FRONTEND: 'noninteractive' }

/** Services that some of the packages would start at the next boot; the tests start what they need themselves. */
const unwantedUnits: Record<string, string> = { coturn: 'coturn.service' }

/** Why packages may not be installed here, or undefined when they may. */
export function whyNoInstall(): string | undefined {
  if (process.env.HAIRPIN_TEST_INSTALL === '0') return 'HAIRPIN_TEST_INSTALL=0 forbids installing'
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get'))
    return 'only Debian and Ubuntu are set up automatically'
  if (process.getuid?.() !== 0) return 'installing needs root'
  return undefined
}

/** Installs packages without starting any service of theirs. */
export function install(packages: readonly string[]): void {
  if (packages.length === 0) return
  step('apt-get update', () => run('apt-get', ['update', '-qq'], { env: aptEnv, timeout: 180_000 }))
  step(`apt-get install ${packages.join(' ')}`, () =>
    withoutServiceStarts(() =>
      must('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
        env: aptEnv,
        timeout: 900_000,
      }),
    ),
  )
  for (const name of packages) {
    const unit = unwantedUnits[name]
    if (unit && existsSync('/run/systemd/system')) run('systemctl', ['disable', '--now', unit])
  }
}

/** Maintainer scripts ask policy-rc.d before they start a service; 101 forbids it. */
function withoutServiceStarts<T>(action: () => T): T {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return action()
  writeFileSync(policy, '#!/bin/sh\nexit 101\n')
  chmodSync(policy, 0o755)
  try {
    return action()
  } finally {
    rmSync(policy, { force: true })
  }
}

/**
 * Unpacks packages of any Debian release into a folder, without installing them: apt runs with a sources list and a
 * state folder of its own, so that the machine's packages never see the other release.
 * @returns the folder.
 */
export function unpack(suite: string, packages: readonly string[]): string {
  const root = join(cacheDir, 'packages', `${suite}-${packages.join('-')}`)
  const done = join(root, '.done')
  if (existsSync(done)) return join(root, 'files')
  rmSync(root, { recursive: true, force: true })
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'download', 'files', 'parts'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'status'), '')
  writeFileSync(join(root, 'sources.list'), `deb [signed-by=${archiveKeyring()}] ${debianMirror()} ${suite} main\n`)
  const options = {
    'Dir::State': join(root, 'state'),
    'Dir::State::status': join(root, 'status'),
    'Dir::Cache': join(root, 'cache'),
    'Dir::Etc::sourcelist': join(root, 'sources.list'),
    'Dir::Etc::sourceparts': join(root, 'parts'),
    'Dir::Etc::preferencesparts': join(root, 'parts'),
    // As root apt downloads as another user, who may not enter this folder.
    'APT::Sandbox::User': 'root',
    'APT::Update::Post-Invoke-Success': '',
  }
  const flags = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  must('apt-get', [...flags, 'update', '-qq'], { env: aptEnv, timeout: 180_000 })
  must('apt-get', [...flags, 'download', '-qq', ...packages], {
    cwd: join(root, 'download'),
    env: aptEnv,
    timeout: 300_000,
  })
  for (const name of readdirSync(join(root, 'download')))
    must('dpkg', ['-x', join(root, 'download', name), join(root, 'files')])
  for (const folder of ['state', 'cache', 'download']) rmSync(join(root, folder), { recursive: true, force: true })
  writeFileSync(done, '')
  return join(root, 'files')
}

/** The Debian archive that this machine uses. */
export function debianMirror(): string {
  const format = '$(ORIGIN)|$(LABEL)|$(REPO_URI)'
  const line = run('apt-get', ['indextargets', '--format', format])
    .stdout.split('\n')
    .find((text) => text.startsWith('Debian|Debian|'))
  const uri = line?.split('|')[2]
  if (!uri) throw new SetupError('apt knows no Debian archive to take packages from (run apt-get update?)')
  return uri
}

export function archiveKeyring(): string {
  const path = '/usr/share/keyrings/debian-archive-keyring.gpg'
  if (!existsSync(path)) throw new SetupError(`${path} is missing (package debian-archive-keyring)`)
  return path
}

export function debianArchitecture(): string {
  return run('dpkg', ['--print-architecture']).stdout.trim()
}

export function osRelease(key: string): string | undefined {
  const line = readFileSync('/etc/os-release', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${key}=`))
  return line?.slice(key.length + 1).replaceAll('"', '')
}
