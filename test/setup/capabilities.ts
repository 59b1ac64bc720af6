import { globSync } from 'node:fs'
import type { Capability } from '../helpers/capabilities.ts'
import { install, whyNoInstall } from './apt.ts'
import { ensureBaseImages } from './base-images.ts'
import { dockerAnswers, ensureCompose, startEngine } from './docker-engine.ts'
import { run, SetupError, say } from './shell.ts'

/** Debian packages behind each capability, with a file (any of several patterns) that shows the package is there. */
const needs: Record<Capability, ReadonlyArray<readonly [name: string, program: string]>> = {
  chromium: [['chromium', '/usr/bin/chromium']],
  coturn: [['coturn', '/usr/bin/turnutils_uclient']],
  netns: [
    ['iproute2', '/usr/sbin/ip /sbin/ip /usr/bin/ip'],
    ['nftables', '/usr/sbin/nft'],
  ],
  docker: [
    ['docker.io', '/usr/bin/docker'],
    ['iptables', '/usr/sbin/iptables'],
    ['debootstrap', '/usr/sbin/debootstrap'],
  ],
  aiortc: [['python3-aiortc', '/usr/lib/python3/dist-packages/aiortc']],
  gstreamer: [
    ['gstreamer1.0-nice', '/usr/lib/*/gstreamer-1.0/libgstnice.so'],
    ['gstreamer1.0-plugins-bad', '/usr/lib/*/gstreamer-1.0/libgstwebrtc.so'],
    ['gir1.2-gst-plugins-bad-1.0', '/usr/lib/*/girepository-1.0/GstWebRTC-1.0.typelib'],
    ['gir1.2-nice-0.1', '/usr/lib/*/girepository-1.0/Nice-0.1.typelib'],
    ['python3-gst-1.0', '/usr/lib/python3/dist-packages/gi/overrides/Gst.py'],
  ],
}

/** Why each capability is missing; those that are there are absent. */
export type Missing = Map<Capability, string>

/** Installs and starts what is missing, as far as that is allowed, and tries out every capability. */
export function prepare(): Missing {
  const forbidden = whyNoInstall()
  const wanted = missingPackages()
  if (wanted.length > 0 && forbidden) say(`not installing ${wanted.join(', ')}: ${forbidden}`)
  if (wanted.length > 0 && !forbidden) {
    say(`will install these Debian packages: ${wanted.join(', ')} (HAIRPIN_TEST_INSTALL=0 forbids it)`)
    try {
      install(wanted)
    } catch (error) {
      say(reason(error))
    }
  }
  const missing: Missing = new Map()
  const check = (capability: Capability, action: () => void) => {
    try {
      action()
    } catch (error) {
      missing.set(capability, reason(error))
    }
  }
  check('chromium', () => demand('chromium'))
  check('coturn', () => demand('coturn'))
  check('netns', checkNamespaces)
  check('aiortc', () => imports('aiortc', 'import aiortc'))
  check('gstreamer', () => imports('gstreamer', 'import gi; gi.require_version("GstWebRTC", "1.0")'))
  check('docker', () => prepareDocker(forbidden === undefined))
  return missing
}

function missingPackages(): string[] {
  const names = Object.entries(needs).flatMap(([capability, packages]) =>
    // An engine that answers needs nothing from Debian but, without a registry, debootstrap.
    packages.filter(([name]) => !(capability === 'docker' && name !== 'debootstrap' && dockerAnswers())).filter(absent),
  )
  return names.map(([name]) => name)
}

function absent([, programs]: readonly [string, string]): boolean {
  return !programs.split(' ').some((program) => globSync(program).length > 0)
}

function demand(capability: Capability): void {
  const lacking = needs[capability].filter(absent).map(([name]) => name)
  if (lacking.length > 0) throw new SetupError(`not installed: ${lacking.join(', ')}`)
}

function checkNamespaces(): void {
  demand('netns')
  const name = `hairpin-try-${process.pid}`
  const made = run('ip', ['netns', 'add', name])
  if (!made.ok) throw new SetupError(`network namespaces cannot be made here: ${made.tail}`)
  try {
    const nat = run('ip', ['netns', 'exec', name, 'nft', 'add', 'table', 'ip', 'nat'])
    if (!nat.ok) throw new SetupError(`nftables does not work in a network namespace: ${nat.tail}`)
  } finally {
    run('ip', ['netns', 'delete', name])
  }
}

/** That the bindings load in the Debian packages' own Python. */
function imports(capability: Capability, statement: string): void {
  demand(capability)
  const tried = run('/usr/bin/python3', ['-c', statement], { timeout: 30_000 })
  if (!tried.ok) throw new SetupError(`does not load: ${tried.tail}`)
}

function prepareDocker(mayInstall: boolean): void {
  // A dockerd of our own needs root just as installing does.
  if (!dockerAnswers() && process.getuid?.() !== 0) throw new SetupError('no Docker engine answers')
  startEngine()
  ensureCompose(mayInstall)
  ensureBaseImages(mayInstall)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
