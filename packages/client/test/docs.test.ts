import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeApi } from '../scripts/api.ts'
import { AgentCall, AgentDesk, Call, HairpinClient, Push, Room, RoomPeer } from '../src/index.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const document = read('../../../docs/SDK.md')
const words = new Set(document.match(/\w+/g))

describe('docs/SDK.md', () => {
  it('shows the examples as they are', () => {
    const shown = [...document.matchAll(/```ts file=(\w+\.ts)\n([^`]*(?:`[^`]+`[^`]*)*?)```/g)]
    expect(shown.map(([, file]) => file).sort()).toEqual(readdirSync(new URL('../examples', import.meta.url)).sort())
    for (const [, file, text] of shown) expect(text).toBe(read(`../examples/${file}`))
  })

  it('names everything that the SDK exports', () => {
    const exported = [...read('../src/index.ts').matchAll(/export (?:type )?\{([^}]+)\}/g)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.replace('type', '').trim()),
    )
    expect(exported.filter((name) => name !== '' && !words.has(name))).toEqual([])
  })

  it.each([HairpinClient, Call, Room, RoomPeer, Push, AgentDesk, AgentCall])(
    'names every member of $name',
    ({ name, prototype }) => {
      const members = Object.getOwnPropertyNames(prototype).filter((member) => member !== 'constructor')
      const internal = name === 'RoomPeer' ? ['handle', 'checkPath', 'close'] : []
      expect(members.filter((member) => !words.has(member) && !internal.includes(member))).toEqual([])
    },
  )
})

describe('docs/SDK-API.md', () => {
  it('is up to date (if not: node packages/client/scripts/api.ts)', async () => {
    expect(read('../../../docs/SDK-API.md')).toBe(await describeApi())
  })
})
