import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Pages that are served from one folder. */
interface Site {
  /** `dist` is written into it. */
  readonly folder: string
  /** By name in `dist`: where the page is. */
  readonly pages: Readonly<Record<string, string>>
  readonly entryPoints: Readonly<Record<string, string>>
  /** Where `dist` is served. */
  readonly base: string
}

/** The demo, the agents' page at `/agent`, and the connectivity check at `/check`. */
const open: Site = {
  folder: root,
  pages: { 'index.html': 'src/index.html', 'agent.html': 'agent/src/index.html', 'check.html': 'check/src/index.html' },
  entryPoints: {
    main: 'src/main.tsx',
    style: 'src/styles/main.css',
    icon: 'src/icon.svg',
    agent: 'agent/src/main.tsx',
    'agent-style': 'agent/src/style.css',
    check: 'check/src/main.tsx',
    'check-style': 'check/src/style.css',
  },
  base: '/',
}

const dashboard: Site = {
  folder: join(root, 'dashboard'),
  pages: { 'index.html': 'src/index.html' },
  entryPoints: { main: 'src/main.tsx', style: 'src/style.css', icon: '../src/icon.svg' },
  base: '/dashboard/',
}

/**
 * What has a fixed address: the service worker, which must be at the root to have the whole site as its scope, and the
 * manifest of the installed page.
 */
async function buildApp(icon: string): Promise<void> {
  await build({
    entryPoints: [join(root, 'src/sw.ts')],
    outfile: join(root, 'dist/sw.js'),
    bundle: true,
    target: 'es2022',
    minify: true,
    logLevel: 'warning',
  })
  const manifest = await readFile(join(root, 'src/manifest.json'), 'utf8')
  await writeFile(join(root, 'dist/manifest.webmanifest'), manifest.replace('%src/icon.svg%', icon))
}

/** The demo and its sibling pages into `web/dist`, the operator's dashboard into `web/dashboard/dist`. */
export async function buildWeb(): Promise<void> {
  const [made] = await Promise.all([open, dashboard].map(buildSite))
  await buildApp(made?.get('src/icon.svg') ?? '')
}

/**
 * Bundles pages: scripts, styles and icon under names that carry their hash, and HTML that refers to nothing else (no inline
 * script or style: the pages run under a strict Content-Security-Policy).
 */
async function buildSite({ folder, pages, entryPoints, base }: Site): Promise<ReadonlyMap<string, string>> {
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
  const addresses = addressesOf(base, metafile)
  for (const [name, source] of Object.entries(pages)) await writePage(folder, name, source, addresses)
  for (const file of await readdir(assets)) if (!written.has(file)) await rm(join(assets, file), { force: true })
  return addresses
}

/** Where each source is served. */
function addressesOf(base: string, { outputs }: Metafile): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(outputs).flatMap(([file, { entryPoint }]) =>
      entryPoint ? [[entryPoint, `${base}assets/${basename(file)}`]] : [],
    ),
  )
}

async function writePage(
  folder: string,
  name: string,
  source: string,
  addresses: ReadonlyMap<string, string>,
): Promise<void> {
  let page = await readFile(join(folder, source), 'utf8')
  for (const [source, address] of addresses) page = page.replaceAll(`%${source}%`, address)
  // A request that comes now gets the old page or the new one, whole.
  const fresh = join(folder, 'dist', `.${randomUUID()}-${name}`)
  await writeFile(fresh, page)
  await rename(fresh, join(folder, 'dist', name))
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await buildWeb()
