import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, say } from './shell.ts'

const folder = join(cacheDir, 'lock')
const owner = join(folder, 'pid')

/** Two runs on one machine must not install or build at the same time; the second one waits. */
export function withLock<T>(action: () => T): T {
  acquire()
  try {
    return action()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function acquire(): void {
  for (let said = false; ; ) {
    try {
      mkdirSync(folder)
      writeFileSync(owner, String(process.pid))
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const pid = existsSync(owner) ? Number(readFileSync(owner, 'utf8')) : 0
    if (pid > 0 && !isRunning(pid)) {
      rmSync(folder, { recursive: true, force: true })
      continue
    }
    if (!said) say(`waiting for the set-up of another run (process ${pid || 'starting'}) …`)
    said = true
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  }
}

export function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`)
}
