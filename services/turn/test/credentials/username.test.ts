import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUser, formatUsername, parseUsername } from '../../src/credentials/username.ts'

describe('time-limited usernames', () => {
  it('name expiry, app and user', () => {
    expect(parseUsername('1700000000:shop/alice')).toEqual({ expiry: 1700000000, app: 'shop', user: 'alice' })
    expect(parseUsername('1700000000:shop/a/b')).toEqual({ expiry: 1700000000, app: 'shop', user: 'a/b' })
  })

  it('accept what coturn accepts, for the default app', () => {
    expect(parseUsername('1700000000:alice')).toEqual({ expiry: 1700000000, app: 'default', user: 'alice' })
    expect(parseUsername('1700000000')).toEqual({ expiry: 1700000000, app: 'default', user: '' })
    expect(parseUsername('1700000000:an app!/alice')?.app).toBe('default')
  })

  it('are refused without an expiry', () => {
    for (const text of ['', 'alice', ':alice', '-5:alice', '1e9:alice', '17000000000000:alice'])
      expect(parseUsername(text)).toBeUndefined()
  })

  it('carry any user text in ASCII, and give it back', () => {
    expect(formatUsername(1, 'demo', '@ada:example.org')).toBe('1:demo/@ada:example.org')
    expect(encodeUser('Åsa (2)/x')).toBe('%C3%85sa%20%282%29%2Fx')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (user) => {
        const encoded = encodeUser(user)
        expect(encoded).toMatch(/^[\w.@:+=~%-]*$/)
        if (encoded.length < 200) expect(decodeURIComponent(encoded)).toBe(user.toWellFormed())
      }),
    )
  })

  it('stay within what USERNAME may hold and still tell users apart', () => {
    const [first, second] = ['a', 'b'].map((end) => encodeUser('日'.repeat(120) + end))
    expect(formatUsername(1, 'x'.repeat(64), '日'.repeat(128)).length).toBeLessThan(508)
    expect(first).not.toBe(second)
    expect(encodeUser('\ud800')).toBe('%EF%BF%BD')
  })
})
