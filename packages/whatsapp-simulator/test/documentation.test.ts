import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { defaultForms, defaultRules, defaultTimes } from '../src/index.ts'

const document = readFileSync(join(import.meta.dirname, '../../../docs/WHATSAPP.md'), 'utf8')

it('every reading of the documents that can be chosen is in docs/WHATSAPP.md', () => {
  // What is told of in sentences: the codes of silence and its times, and the escapes of JSON.
  const told = ['rules.silenceCodes', 'times.firstMedia', 'times.media', 'forms.escaped']
  const settings = Object.entries({ rules: defaultRules, times: defaultTimes, forms: defaultForms }).flatMap(
    ([group, values]) => Object.keys(values).map((key) => `${group}.${key}`),
  )
  expect(settings.length).toBeGreaterThan(10)
  expect(settings.filter((setting) => !told.includes(setting) && !document.includes(`\`${setting}\``))).toEqual([])
})

it('every code of the control API is in docs/WHATSAPP.md', () => {
  const sources = join(import.meta.dirname, '../src')
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const text = files.map((file) => readFileSync(join(sources, file), 'utf8')).join('\n')
  const codes = [...text.matchAll(/'(SIM_[A-Z_]+)'/g)].map(([, code = '']) => code)
  expect(codes.length).toBeGreaterThan(2)
  expect(codes.filter((code) => !document.includes(`\`${code}\``))).toEqual([])
})
