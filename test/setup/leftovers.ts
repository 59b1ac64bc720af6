import { existsSync } from 'node:fs'
import { ownerOf } from '../helpers/names.ts'
import { dockerBinary } from './docker-engine.ts'
import { isRunning } from './lock.ts'
import { run, say } from './shell.ts'

/** Removes what runs that are gone left behind; what a live run owns stays. */
export function removeLeftovers(): void {
  if (existsSync('/usr/bin/docker')) removeDocker()
  if (process.platform === 'linux' && process.getuid?.() === 0) removeNamespaces()
}

function removeDocker(): void {
  const label = 'com.docker.compose.project'
  const kinds = [
    { list: ['ps', '-a'], remove: ['rm', '-f', '-v'], id: 'ID' },
    { list: ['network', 'ls'], remove: ['network', 'rm'], id: 'ID' },
    { list: ['volume', 'ls'], remove: ['volume', 'rm'], id: 'Name' },
  ]
  for (const { list, remove, id } of kinds) {
    const format = `{{.${id}}} {{.Label "${label}"}}`
    const rows = run(dockerBinary, [...list, '--filter', `label=${label}`, '--format', format], { timeout: 15_000 })
    const dead = rows.stdout
      .split('\n')
      .map((row) => row.split(' '))
      .filter(([, project]) => project !== undefined && isDead(project))
    if (dead.length === 0) continue
    say(`removing ${dead.length} leftovers of a broken run (docker ${list[0]})`)
    run(dockerBinary, [...remove, ...dead.map(([name = '']) => name)], { timeout: 60_000 })
  }
  removeImages()
}

function removeImages(): void {
  const names = run(dockerBinary, ['image', 'ls', '--format', '{{.Repository}}'], { timeout: 15_000 }).stdout.split(
    '\n',
  )
  const dead = names.filter(isDead)
  if (dead.length > 0) run(dockerBinary, ['image', 'rm', '-f', ...dead], { timeout: 60_000 })
}

function removeNamespaces(): void {
  const names = run('ip', ['netns', 'list']).stdout.split('\n')
  for (const name of names.map((row) => row.split(' ')[0] ?? '').filter(isDead)) {
    say(`removing network namespace ${name} of a broken run`)
    for (const pid of run('ip', ['netns', 'pids', name]).stdout.split('\n').filter(Boolean)) run('kill', ['-9', pid])
    run('ip', ['netns', 'delete', name])
  }
}

function isDead(name: string): boolean {
  const owner = ownerOf(name)
  return owner !== undefined && !isRunning(owner)
}
