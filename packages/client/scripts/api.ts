/** Writes docs/SDK-API.md: every export of the SDK as the compiler declares it, with what the code says of it. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const source = 'packages/client/src'

interface Declaration {
  readonly name: string
  /** Markdown. */
  readonly text: string
  /** TypeScript. */
  readonly code: string
}

/** The document. */
export async function describeApi(): Promise<string> {
  const declared = await declarations()
  const index = await readFile(join(root, source, 'index.ts'), 'utf8')
  const names = [...index.matchAll(/export (?:type )?\{([^}]+)\}/g)].flatMap(([, list = '']) =>
    list.split(',').flatMap((name) => name.replace(/^\s*type /, '').trim() || []),
  )
  const exported = names.map((name) => {
    const found = declared.get(name)
    if (!found) throw new Error(`no declaration of ${name}`)
    return found
  })
  const kinds = [
    ['Classes', /^(abstract )?class/],
    ['Functions and values', /^(function|const)/],
    ['Types', /^(interface|type)/],
  ] as const
  const sections = kinds.map(([title, kind]) => {
    const members = exported.filter(({ code }) => kind.test(code)).sort((a, b) => (a.name < b.name ? -1 : 1))
    return `## ${title}\n\n${members.map(render).join('\n')}`
  })
  return `${head}\n${sections.join('\n')}`
}

const head = `# The SDK's API

Everything that \`@hairpin/client\` exports, from its types (\`node packages/client/scripts/api.ts\`); [SDK.md](SDK.md) says
how to use it. Types that are named and not listed here are the browser's, or messages of [PROTOCOL.md](PROTOCOL.md).
`

function render({ name, text, code }: Declaration): string {
  return `### ${name}\n\n${text === '' ? '' : `${text}\n\n`}\`\`\`ts\n${code}\n\`\`\`\n`
}

/** What the compiler declares of the SDK's files, by name. */
async function declarations(): Promise<ReadonlyMap<string, Declaration>> {
  const folder = await mkdtemp(join(tmpdir(), 'hairpin-api-'))
  try {
    const compiler = join(createRequire(import.meta.url).resolve('typescript/package.json'), '..', 'bin', 'tsc')
    const options =
      '--ignoreConfig --declaration --emitDeclarationOnly --strict --skipLibCheck --allowImportingTsExtensions ' +
      '--exactOptionalPropertyTypes --target es2024 --lib es2024,dom,dom.iterable --module nodenext --types node'
    const where = ['--rootDir', root, '--outDir', folder, join(root, source, 'index.ts')]
    await promisify(execFile)(process.execPath, [compiler, ...options.split(' '), ...where], { cwd: root })
    const files = (await readdir(join(folder, source))).filter((file) => file.endsWith('.d.ts'))
    const texts = await Promise.all(files.map((file) => readFile(join(folder, source, file), 'utf8')))
    return new Map(texts.flatMap(parse).map((declaration) => [declaration.name, declaration]))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The exported declarations of a `.d.ts` file as the compiler writes them: each begins at the start of a line. */
function parse(file: string): Declaration[] {
  const found: Declaration[] = []
  const lines = file.split('\n')
  let text: string[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line.startsWith('/**')) {
      const end = lines.findIndex((each, index) => index >= at && each.includes('*/'))
      text = lines.slice(at, end + 1)
      at = end
    } else if (line.startsWith('export ')) {
      const end = lines.findIndex(
        (each, index) => index >= at && /^(?:\}|\S.*;$|\s.*;$)/.test(each) && balanced(lines, at, index),
      )
      found.push(declaration(text, lines.slice(at, end + 1)))
      text = []
      at = end
    } else text = []
  }
  return found
}

/** Whether as many brackets close as open in these lines, comments aside. */
function balanced(lines: readonly string[], from: number, to: number): boolean {
  const code = lines
    .slice(from, to + 1)
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\//g, '')
  return (code.match(/[{(]/g)?.length ?? 0) === (code.match(/[})]/g)?.length ?? 0)
}

function declaration(text: readonly string[], lines: readonly string[]): Declaration {
  const code = lines
    .filter((line) => !/^\s+#private;$/.test(line))
    .map((line) => line.replace(/^(?: {4})+/, (indent) => ' '.repeat(indent.length / 2)))
    .join('\n')
    .replace(/^export (?:declare )?/, '')
  const name = /^(?:abstract )?(?:class|interface|type|function|const) (\w+)/.exec(code)?.[1] ?? ''
  const words = text
    .join('\n')
    .replace(/^\/\*\*|\*\/$/g, '')
    .replace(/^ \* ?/gm, '')
  return { name, text: words.trim(), code }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writeFile(join(root, 'docs/SDK-API.md'), await describeApi())
