import { exec } from './exec.ts'

export interface Inspection {
  readonly State: { readonly Pid: number; readonly Health?: { readonly Status: string } }
  readonly RestartCount: number
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly CapDrop: readonly string[] | null
    readonly CapAdd: readonly string[] | null
    readonly SecurityOpt: readonly string[] | null
    readonly NetworkMode: string
  }
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, ReadonlyArray<{ readonly HostPort: string }> | null>>
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>
  }
}

export async function inspect(container: string): Promise<Inspection> {
  const [found] = JSON.parse(await exec('docker', 'inspect', container)) as Inspection[]
  if (!found) throw new Error(`no container ${container}`)
  return found
}

/** Its processes as the host sees them. */
export async function processes(container: string): Promise<{ uid: number; pid: number }[]> {
  const [, ...rows] = (await exec('docker', 'top', container, '-eo', 'uid,pid')).trim().split('\n')
  return rows.map((row) => {
    const [uid, pid] = row.trim().split(/\s+/).map(Number)
    return { uid: uid ?? 0, pid: pid ?? 0 }
  })
}

/** Protocol and port of every socket of these processes that is bound to more than the loopback addresses. */
export async function openPorts(pids: ReadonlySet<number>): Promise<string[]> {
  const found = new Set<string>()
  for (const protocol of ['tcp', 'udp']) {
    const rows = (await exec('ss', '-Hlnp', `--${protocol}`)).split('\n')
    for (const row of rows) {
      const [, , , local = ''] = row.trim().split(/\s+/)
      const owners = [...row.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid))
      if (!owners.some((pid) => pids.has(pid)) || /^(127\.|\[::1\])/.test(local)) continue
      found.add(`${local.split(':').at(-1)}/${protocol}`)
    }
  }
  return [...found].sort()
}
