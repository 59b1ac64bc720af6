import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanName, freeName, nameKey } from '../src/core/names.ts'

const all = () => true

describe('a name', () => {
  it.each([
    ['alice', 'alice'],
    ['  Alice   B \n', 'Alice B'],
    ['Ame\u0301lie', 'Amélie'],
    ['a\u0000b\u001b[31m\u202Ec', 'ab[31mc'],
    ['<b>bob</b>', 'bbob/b'],
    ['a\u200db', 'a\u200db'],
    ['\u200dab\u200d', 'ab'],
    ['👩\u200d💻', '👩\u200d💻'],
    ['x'.repeat(100), 'x'.repeat(64)],
    ['😀'.repeat(100), '😀'.repeat(64)],
    ['\ud800', ''],
    [' \u200b\u2060 ', ''],
    ['a \u200b b', 'a b'],
  ])('%j becomes %j', (wanted, name) => {
    expect(cleanName(wanted)).toBe(name)
  })

  it('that is empty becomes a guest', () => {
    expect(freeName('', all)).toBe('Guest1')
    expect(freeName('\u200d', all)).toBe('Guest1')
  })

  it('that is taken gets a number and stays within 64 code points', () => {
    const taken = new Set(['anna', 'anna2'])
    expect(freeName('anna', (name) => !taken.has(name))).toBe('anna3')
    const long = 'x'.repeat(64)
    expect(freeName(long, (name) => name !== long)).toBe(`${'x'.repeat(63)}2`)
  })

  it('is the same name in another case, width or with joiners', () => {
    expect(nameKey('Anna')).toBe(nameKey('anna'))
    expect(nameKey('ａnna')).toBe(nameKey('anna'))
    expect(nameKey('an\u200dna')).toBe(nameKey('anna'))
  })

  it('whatever is wanted: visible, bounded, stable when asked for again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (wanted) => {
        const name = freeName(wanted, all)
        expect([...name].length).toBeGreaterThan(0)
        expect([...name].length).toBeLessThanOrEqual(64)
        expect(name).not.toMatch(/[\p{Cc}<>]|^\s|\s$/u)
        expect(freeName(name, all)).toBe(name)
      }),
      { numRuns: 2000 },
    )
  })
})
