import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec } from './exec.ts'
import { ownedName } from './names.ts'

/**
 * A small internet of network namespaces that leads nowhere else:
 *
 *     alice ─ router A ─┐
 *                       ├─ server (11.0.0.1)
 *     bob ─── router B ─┘
 *
 * Both routers translate addresses symmetrically: every new destination gets another random port, and nobody else's
 * packets come in. The outside addresses look public, because the relay refuses private and special ranges as peers.
 */
export interface Internet {
  readonly serverAddress: string
  /** Command and arguments that run a program on that host. */
  readonly on: (host: Host) => readonly string[]
  /** A program file that runs `program` on that host, for what takes only a path. */
  readonly programOn: (host: Host, program: string) => Promise<string>
  /** The host's router gets another outside address in place of the one it had: what went through it is cut. */
  readonly move: (host: 'alice' | 'bob') => Promise<void>
  readonly remove: () => Promise<void>
}

export type Host = 'server' | 'alice' | 'bob'

const serverAddress = '11.0.0.1'
const sites = [
  { host: 'alice', router: 'router-a', outside: '11.0.0.11', moved: '11.0.0.21', lan: '192.168.101' },
  { host: 'bob', router: 'router-b', outside: '11.0.0.12', moved: '11.0.0.22', lan: '192.168.102' },
] as const

const symmetricNat = `
table ip translation {
  chain outgoing {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan" masquerade fully-random
  }
  chain incoming {
    type filter hook input priority filter; policy accept;
    iifname "wan" ct state new drop
  }
  chain through {
    type filter hook forward priority filter; policy accept;
    iifname "wan" ct state new drop
  }
}`

export async function makeInternet(): Promise<Internet> {
  const names: string[] = []
  const folder = await mkdtemp(join(tmpdir(), 'hairpin-netns-'))
  const add = async (host: string) => {
    const name = ownedName(host)
    await exec('ip', 'netns', 'add', name)
    names.push(name)
    await exec('ip', '-n', name, 'link', 'set', 'lo', 'up')
    return name
  }
  const remove = async () => {
    for (const name of names) {
      const pids = (await exec('ip', 'netns', 'pids', name)).split('\n').filter(Boolean)
      if (pids.length > 0) await exec('kill', '-9', ...pids).catch(() => undefined)
      await exec('ip', 'netns', 'delete', name)
    }
    await rm(folder, { recursive: true, force: true })
  }
  const on = (host: Host) => ['ip', 'netns', 'exec', ownedName(host)]
  try {
    const server = await add('server')
    await exec('ip', '-n', server, 'link', 'add', 'net', 'type', 'bridge')
    await exec('ip', '-n', server, 'addr', 'add', `${serverAddress}/24`, 'dev', 'net')
    await exec('ip', '-n', server, 'link', 'set', 'net', 'up')
    for (const site of sites) await addSite(server, await add(site.router), await add(site.host), site)
  } catch (error) {
    await remove()
    throw error
  }
  const programOn = async (host: Host, program: string) => {
    const path = join(folder, `${host}-${program.split('/').at(-1)}`)
    await writeFile(path, `#!/bin/sh\nexec ${on(host).join(' ')} ${program} "$@"\n`)
    await chmod(path, 0o755)
    return path
  }
  const move = async (host: 'alice' | 'bob') => {
    const { router, outside, moved } = sites.find((site) => site.host === host) ?? sites[0]
    await exec('ip', '-n', ownedName(router), 'addr', 'del', `${outside}/24`, 'dev', 'wan')
    await exec('ip', '-n', ownedName(router), 'addr', 'add', `${moved}/24`, 'dev', 'wan')
  }
  return { serverAddress, on, programOn, move, remove }
}

async function addSite(server: string, router: string, host: string, site: (typeof sites)[number]): Promise<void> {
  const port = site.router
  await exec('ip', '-n', server, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'wan', 'netns', router)
  await exec('ip', '-n', server, 'link', 'set', port, 'master', 'net', 'up')
  await exec('ip', '-n', router, 'addr', 'add', `${site.outside}/24`, 'dev', 'wan')
  await exec('ip', '-n', router, 'link', 'set', 'wan', 'up')
  await exec('ip', '-n', router, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host)
  await exec('ip', '-n', router, 'addr', 'add', `${site.lan}.1/24`, 'dev', 'lan')
  await exec('ip', '-n', router, 'link', 'set', 'lan', 'up')
  await exec('ip', '-n', host, 'addr', 'add', `${site.lan}.10/24`, 'dev', 'eth0')
  await exec('ip', '-n', host, 'link', 'set', 'eth0', 'up')
  await exec('ip', '-n', host, 'route', 'add', 'default', 'via', `${site.lan}.1`)
  await exec('ip', 'netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
  await exec('ip', 'netns', 'exec', router, 'nft', symmetricNat)
}
