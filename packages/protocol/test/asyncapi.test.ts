import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { asyncApi, messageTable } from '../src/asyncapi.ts'
import { clientSchemas, closeCodes, serverSchemas } from '../src/index.ts'

const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const protocol = read('PROTOCOL.md')
const made = JSON.parse(JSON.stringify(asyncApi(protocol)))

describe('docs/asyncapi.json', () => {
  it('is up to date (if not: node packages/protocol/scripts/asyncapi.ts)', () => {
    expect(JSON.parse(read('asyncapi.json'))).toEqual(made)
  })

  it('has every message, each explained, and no reference that leads nowhere', () => {
    const keys = [
      ...Object.keys(clientSchemas).map((type) => `client-${type}`),
      ...Object.keys(serverSchemas).map((type) => `server-${type}`),
    ]
    expect(Object.keys(made.components.messages)).toEqual(keys)
    for (const { summary } of Object.values<{ summary: string }>(made.components.messages)) expect(summary).not.toBe('')
    for (const [, ref = ''] of JSON.stringify(made).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = ref.split('/').reduce((value, step) => value?.[step], made)
      expect(found, ref).toBeDefined()
    }
  })
})

describe('docs/PROTOCOL.md', () => {
  const rows = messageTable(protocol)
  const cases = [
    ...Object.entries(clientSchemas).map(([type, schema]) => ['client', type, schema] as const),
    ...Object.entries(serverSchemas).map(([type, schema]) => ['server', type, schema] as const),
  ]

  it.each(cases)('names the fields of what the %s sends as %s, and which may be absent', (from, type, schema) => {
    const row = rows.find((one) => one.type === type && one.from === from)
    const { required = [], properties } = schema as { required?: readonly string[]; properties: object }
    const fields = Object.keys(properties).filter(
      (field) => field !== 'type' && !(from === 'server' && field === 'seq'),
    )
    const documented = new Map([...(row?.fields ?? [])].filter(([field]) => !(from === 'server' && field === 'seq')))
    expect(documented).toEqual(new Map(fields.map((field) => [field, !required.includes(field)])))
  })

  it('lists every close code', () => {
    for (const code of Object.values(closeCodes)) expect(protocol).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'))
  })
})
