import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'

const root = fileURLToPath(new URL('.', import.meta.url))
const assets = join(root, 'dist', 'assets')

/**
 * Bundles the demo page into `web/dist`: scripts, styles and icon under names that carry their hash, and an `index.html` that
 * refers to nothing else (no inline script or style: the page runs under a strict Content-Security-Policy).
 */
export async function buildWeb(): Promise<void> {
  await mkdir(assets, { recursive: true })
  const { metafile } = await build({
    entryPoints: {
      main: join(root, 'src/main.tsx'),
      style: join(root, 'src/styles/main.css'),
      icon: join(root, 'src/icon.svg'),
    },
    outdir: assets,
    absWorkingDir: root,
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
  await writePage(metafile)
  for (const file of await readdir(assets)) if (!written.has(file)) await rm(join(assets, file), { force: true })
}

async function writePage(metafile: Metafile): Promise<void> {
  let page = await readFile(join(root, 'src/index.html'), 'utf8')
  for (const [file, output] of Object.entries(metafile.outputs))
    if (output.entryPoint) page = page.replaceAll(`%${output.entryPoint}%`, `/assets/${basename(file)}`)
  // A request that comes now gets the old page or the new one, whole.
  const fresh = join(root, 'dist', `.index-${randomUUID()}.html`)
  await writeFile(fresh, page)
  await rename(fresh, join(root, 'dist', 'index.html'))
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await buildWeb()
