import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'

const root = fileURLToPath(new URL('.', import.meta.url))

interface Page {
  /** Holds src/index.html; `dist` is written beside it. */
  readonly folder: string
  readonly entryPoints: Readonly<Record<string, string>>
  /** Where `dist` is served. */
  readonly base: string
}

const demo: Page = {
  folder: root,
  entryPoints: { main: 'src/main.tsx', style: 'src/styles/main.css', icon: 'src/icon.svg' },
  base: '/',
}

const dashboard: Page = {
  folder: join(root, 'dashboard'),
  entryPoints: { main: 'src/main.tsx', style: 'src/style.css', icon: '../src/icon.svg' },
  base: '/dashboard/',
}

/** The demo page into `web/dist`, the operator's dashboard into `web/dashboard/dist`. */
export async function buildWeb(): Promise<void> {
  await Promise.all([demo, dashboard].map(buildPage))
}

/**
 * Bundles a page: scripts, styles and icon under names that carry their hash, and an `index.html` that refers to nothing
 * else (no inline script or style: the page runs under a strict Content-Security-Policy).
 */
async function buildPage({ folder, entryPoints, base }: Page): Promise<void> {
  const assets = join(folder, 'dist', 'assets')
  await mkdir(assets, { recursive: true })
  const { metafile } = await build({
    entryPoints: Object.fromEntries(Object.entries(entryPoints).map(([name, path]) => [name, join(folder, path)])),
    outdir: assets,
    absWorkingDir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.svg': 'copy' },
    entryNames: '[name]-[hash]',
    minify: true,
    sourcemap: 'linked',
    metafile: true,
    logLevel: 'warning',
  })
  const written = new Set(Object.keys(metafile.outputs).map((file) => basename(file)))
  await writePage(folder, base, metafile)
  for (const file of await readdir(assets)) if (!written.has(file)) await rm(join(assets, file), { force: true })
}

async function writePage(folder: string, base: string, metafile: Metafile): Promise<void> {
  let page = await readFile(join(folder, 'src/index.html'), 'utf8')
  for (const [file, output] of Object.entries(metafile.outputs))
    if (output.entryPoint) page = page.replaceAll(`%${output.entryPoint}%`, `${base}assets/${basename(file)}`)
  // A request that comes now gets the old page or the new one, whole.
  const fresh = join(folder, 'dist', `.index-${randomUUID()}.html`)
  await writeFile(fresh, page)
  await rename(fresh, join(folder, 'dist', 'index.html'))
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await buildWeb()
