import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { archiveKeyring, debianMirror, unpack } from './apt.ts'
import { dockerBinary } from './docker-engine.ts'
import { cacheDir, must, run, SetupError, say, step } from './shell.ts'

const root = dirname(dirname(import.meta.dirname))
const standInLabel = 'hairpin.stand-in'
const debianImage = 'hairpin-test/bookworm'

/** The public images that the tests build on, and how to stand in for each where no registry answers. */
const standIns: Record<string, { dockerfile: string; context: () => string }> = {
  'node:24-bookworm-slim': { dockerfile: 'node.Dockerfile', context: nodeContext },
  'caddy:2': { dockerfile: 'caddy.Dockerfile', context: debianPackages },
  'prom/prometheus:v3.5.0': { dockerfile: 'prometheus.Dockerfile', context: debianPackages },
}

/** Makes every base image available under its public tag: there already, pulled, or built from packages. */
export function ensureBaseImages(mayInstall: boolean): void {
  for (const [image, standIn] of Object.entries(standIns)) {
    const dockerfile = join(import.meta.dirname, 'images', standIn.dockerfile)
    const version = createHash('sha256').update(readFileSync(dockerfile)).digest('hex').slice(0, 12)
    const present = standInVersion(image)
    if (present === '' || present === version) continue
    if (present === undefined && registryHas(image)) {
      step(`pulling ${image}`, () => must(dockerBinary, ['pull', '-q', image], { timeout: 600_000 }))
      continue
    }
    if (!mayInstall) throw new SetupError(`image ${image} can be neither pulled nor, without installing, stood in for`)
    ensureDebianImage()
    step(`building a stand-in for ${image} from packages`, () =>
      must(
        dockerBinary,
        ['build', '-q', '-t', image, '-f', dockerfile, '--label', `${standInLabel}=${version}`, standIn.context()],
        // The classic builder: Debian's client has BuildKit only with a plug-in of its own.
        { env: { DOCKER_BUILDKIT: '0' }, timeout: 300_000 },
      ),
    )
  }
}

/** The stand-in's version, '' for the real image, undefined when there is none. */
function standInVersion(image: string): string | undefined {
  const format = `{{index .Config.Labels "${standInLabel}"}}`
  const result = run(dockerBinary, ['image', 'inspect', image, '--format', format], { timeout: 15_000 })
  return result.ok ? result.stdout.trim() : undefined
}

/** Whether the registry serves the image; that it did not answer is remembered for a day. */
function registryHas(image: string): boolean {
  const note = join(cacheDir, 'no-image-registry')
  if (existsSync(note) && Date.now() - statSync(note).mtimeMs < 86_400_000) return false
  say(`asking the image registry for ${image} …`)
  if (run(dockerBinary, ['manifest', 'inspect', image], { timeout: 20_000 }).ok) return true
  writeFileSync(note, '')
  return false
}

function ensureDebianImage(): void {
  if (standInVersion(debianImage) !== undefined) return
  if (!existsSync('/usr/sbin/debootstrap')) throw new SetupError('debootstrap is not installed')
  const folder = join(cacheDir, 'rootfs')
  step('making a Debian base image with debootstrap', () => {
    rmSync(folder, { recursive: true, force: true })
    must(
      'debootstrap',
      [
        '--variant=minbase',
        '--include=ca-certificates,libstdc++6,libcap2-bin',
        `--keyring=${archiveKeyring()}`,
        'bookworm',
        folder,
        debianMirror(),
      ],
      { timeout: 600_000 },
    )
    for (const path of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale', 'usr/share/man'])
      rmSync(join(folder, path), { recursive: true, force: true })
    const change = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    must('sh', [
      '-c',
      'tar -C "$1" -c . | "$2" import --change "$3" - "$4"',
      'sh',
      folder,
      dockerBinary,
      change,
      debianImage,
    ])
    rmSync(folder, { recursive: true, force: true })
  })
}

/** Node of this project's own dependencies and the npm that runs these tests. */
function nodeContext(): string {
  const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
  if (!existsSync(node)) throw new SetupError(`there is no packaged Node for linux-${process.arch}`)
  const npm = npmFolder()
  if (!npm) throw new SetupError('npm was not found')
  const folder = join(cacheDir, 'node-image')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(node, join(folder, 'node'))
  cpSync(npm, join(folder, 'npm'), { recursive: true, dereference: true })
  return folder
}

function npmFolder(): string | undefined {
  const cli = process.env.npm_execpath ?? run('sh', ['-c', 'command -v npm']).stdout.trim()
  const folder = cli && existsSync(cli) ? dirname(dirname(realpathSync(cli))) : ''
  return existsSync(join(folder, 'package.json')) ? folder : undefined
}

function debianPackages(): string {
  return unpack('bookworm', ['caddy', 'prometheus', 'busybox-static'])
}
