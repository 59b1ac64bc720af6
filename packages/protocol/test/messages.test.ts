import { readdirSync, readFileSync } from 'node:fs'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { type ClientType, clientSchemas, serverSchemas, signalingErrors } from '../src/index.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('the messages', () => {
  it('have a file each', () => {
    const files = readdirSync(new URL('../src/messages', import.meta.url)).map((file) => file.replace('.ts', ''))
    const types = new Set([...Object.keys(clientSchemas), ...Object.keys(serverSchemas)])
    expect([...types].sort()).toEqual(files.sort())
  })

  it('are all in docs/PROTOCOL.md, with the direction', () => {
    const document = read('../../../docs/PROTOCOL.md')
    for (const type of Object.keys(clientSchemas)) expect(document).toMatch(new RegExp(`^\\| \`${type}\` \\| C→S`, 'm'))
    for (const type of Object.keys(serverSchemas)) expect(document).toMatch(new RegExp(`^\\| \`${type}\` \\| S→C`, 'm'))
  })

  it('of the tutorial’s client pass, with all that it adds', () => {
    const sdp = { type: 'offer', sdp: 'v=0' }
    const examples: [ClientType, object][] = [
      ['username', { name: 'alice', date: 1, id: 5 }],
      ['message', { text: 'hi', id: 5, date: 1 }],
      ['video-offer', { name: 'alice', target: 'bob', sdp }],
      ['video-answer', { name: 'alice', target: 'bob', sdp: { ...sdp, type: 'answer' } }],
      ['new-ice-candidate', { target: 'bob', candidate: { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 } }],
      ['new-ice-candidate', { target: null, candidate: { candidate: '', sdpMid: null, usernameFragment: 'u' } }],
      ['hang-up', { name: 'alice', target: null }],
    ]
    for (const [type, rest] of examples) expect(Value.Check(clientSchemas[type], { type, ...rest })).toBe(true)
  })

  it('need their fields', () => {
    for (const [type, schema] of Object.entries(clientSchemas))
      expect(Value.Check(schema, { type })).toBe(['hang-up', 'ice-servers', 'push-keys'].includes(type))
    for (const [type, schema] of Object.entries(serverSchemas)) expect(Value.Check(schema, { type })).toBe(false)
  })
})

describe('the error codes', () => {
  it('are in docs/ERRORS.md with the same sentences', () => {
    const document = read('../../../docs/ERRORS.md')
    for (const [code, sentence] of Object.entries(signalingErrors))
      expect(document).toMatch(
        new RegExp(`^\\| \`${code}\` \\|.*${sentence.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, 'm'),
      )
  })
})

describe('the plain values', () => {
  it('need no package: browsers import them as they are', () => {
    for (const file of ['constants', 'errors']) expect(read(`../src/${file}.ts`)).not.toMatch(/^import(?! type)/m)
  })
})
