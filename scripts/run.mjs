// Entry of every npm script. Runs on whatever Node the machine has: installs the dependencies when they are
// missing or stale, then starts the real script with the Node >= 24 found in node_modules (or the machine's own).
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, 'node_modules', '.bin')
const stamp = join(root, 'node_modules', '.hairpin-lock')
const installing = join(root, '.hairpin-installing')

const commands = {
  start: ['services/standalone.ts'],
  test: ['test/setup/run.ts'],
  lint: ['node_modules/@biomejs/biome/bin/biome', 'ci', '.'],
  format: ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.'],
  typecheck: ['node_modules/typescript/bin/tsc', '--noEmit'],
  bench: ['bench/main.ts'],
  fuzz: ['test/fuzz/run.ts'],
  soak: ['test/soak/run.ts'],
  hairpin: ['packages/cli/src/main.ts'],
}

const [name = '', ...args] = process.argv.slice(2)
if (!Object.hasOwn(commands, name)) {
  console.error(`usage: node scripts/run.mjs <${Object.keys(commands).join('|')}>`)
  process.exit(2)
}

installDependencies()
run(findNode(), [...commands[name], ...args])

function installDependencies() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const installed = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (installed()) return
  waitForTurn()
  try {
    if (!installed()) npmCi()
    writeFileSync(stamp, wanted)
  } finally {
    rmSync(installing, { force: true })
  }
}

function npmCi() {
  console.error('hairpin: installing dependencies (npm ci)')
  const npm = process.env.npm_execpath
  const done = npm
    ? spawnSync(process.execPath, [npm, 'ci'], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', ['ci'], { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (done.status !== 0) {
    console.error('hairpin: npm ci failed; see above')
    rmSync(installing, { force: true })
    process.exit(done.status ?? 1)
  }
}

/** Two `npm ci` in one folder delete each other's files: the second run waits for the first one, if that still lives. */
function waitForTurn() {
  for (let said = false; ; said = true) {
    try {
      writeFileSync(installing, String(process.pid), { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned()) {
      rmSync(installing, { force: true })
      continue
    }
    if (!said) console.error('hairpin: another run installs the dependencies; waiting for it')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
  }
}

function isAbandoned() {
  try {
    const pid = Number(readFileSync(installing, 'utf8'))
    // It has been made, and its owner is about to sign it, or died in that moment.
    if (pid === 0) return Date.now() - statSync(installing).mtimeMs > 10_000
    process.kill(pid, 0)
    return false
  } catch (error) {
    // ENOENT: it was given back meanwhile, and is there to be taken; EPERM: somebody else's process, which lives.
    return error.code === 'ESRCH'
  }
}

/** The Node that runs the project: the platform package's if installed, else this one when it is new enough. */
function findNode() {
  const packaged = join(bin, process.platform === 'win32' ? 'node.cmd' : 'node')
  if (existsSync(packaged)) return packaged
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  console.error(
    `hairpin: needs Node 24 or newer; this is ${process.version} and no packaged Node exists for ${process.platform}-${process.arch}`,
  )
  process.exit(1)
}

function run(node, argv) {
  const env = { ...process.env, PATH: `${bin}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}` }
  const child = spawn(node, argv, { cwd: root, stdio: 'inherit', env })
  // A Ctrl-C reaches the whole foreground group by itself; what only this process got is passed on.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}
