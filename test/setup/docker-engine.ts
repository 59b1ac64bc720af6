import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { unpack } from './apt.ts'
import { cacheDir, must, run, SetupError, say, step } from './shell.ts'

/** Debian's client comes first: another one earlier on the PATH may lack plug-in support. */
export const dockerBinary = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker'

export function dockerAnswers(): boolean {
  return run(dockerBinary, ['version', '--format', '{{.Server.Version}}'], { timeout: 15_000 }).ok
}

/** Starts the engine if none answers: by systemd where it runs, else as a process of its own that stays. */
export function startEngine(): void {
  if (dockerAnswers()) return
  step('starting the Docker engine', () => {
    if (existsSync('/run/systemd/system')) must('systemctl', ['start', 'docker'], { timeout: 60_000 })
    else startDaemon()
    for (let waited = 0; !dockerAnswers(); waited++) {
      if (waited > 120) throw new SetupError(`dockerd does not answer; see ${logFile}`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250)
    }
  })
}

const logFile = join(cacheDir, 'dockerd.log')

function startDaemon(): void {
  if (!existsSync('/usr/sbin/dockerd')) throw new SetupError('no Docker engine answers and dockerd is not installed')
  // A pid file left by a killed daemon would stop the new one.
  rmSync('/var/run/docker.pid', { force: true })
  const log = openSync(logFile, 'a')
  const daemon = spawn('/usr/sbin/dockerd', [], { detached: true, stdio: ['ignore', log, log] })
  daemon.unref()
  say(`dockerd runs on after the tests as process ${daemon.pid}; its log is ${logFile}`)
}

/** Debian 12 has no compose v2: its plug-in is taken from the next release and unpacked beside the client. */
export function ensureCompose(mayInstall: boolean): void {
  const works = () => run(dockerBinary, ['compose', 'version'], { timeout: 15_000 }).ok
  if (works()) return
  if (!mayInstall) throw new SetupError('the compose plug-in of Docker is missing')
  step("unpacking Debian's docker-compose", () => {
    const plugin = join(unpack('trixie', ['docker-compose']), 'usr/libexec/docker/cli-plugins/docker-compose')
    const folder = join(process.env.DOCKER_CONFIG ?? join(homedir(), '.docker'), 'cli-plugins')
    mkdirSync(folder, { recursive: true })
    copyFileSync(plugin, join(folder, 'docker-compose'))
    chmodSync(join(folder, 'docker-compose'), 0o755)
  })
  if (!works()) throw new SetupError("Debian's docker-compose does not run here")
}

/** A folder for the front of the PATH in which `docker` is the client chosen above (testcontainers looks it up). */
export function dockerPath(): string {
  const folder = join(cacheDir, 'bin')
  mkdirSync(folder, { recursive: true })
  rmSync(join(folder, 'docker'), { force: true })
  if (dockerBinary.startsWith('/')) symlinkSync(dockerBinary, join(folder, 'docker'))
  return folder
}
