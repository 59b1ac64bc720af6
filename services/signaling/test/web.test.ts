import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, createLogger } from '@hairpin/http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { webPlugin } from '../src/plugins/web.ts'

async function pages() {
  const root = mkdtempSync(join(tmpdir(), 'hairpin-web-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'assets'))
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>demo</title>')
  writeFileSync(join(root, 'check.html'), '<!doctype html><title>check</title>')
  writeFileSync(join(root, 'assets/main-ABCD2345.js'), 'export {}')
  const app = createApp({ logger: createLogger('silent') })
  onTestFinished(() => app.close())
  await app.register(webPlugin, { root })
  return app
}

describe('the demo page', () => {
  it('comes with a strict content security policy and is asked for anew', async () => {
    const { headers, statusCode, body } = await (await pages()).inject('/')
    expect(statusCode).toBe(200)
    expect(body).toContain('demo')
    expect(headers['content-security-policy']).toContain("default-src 'self'; connect-src 'self' ws: wss:")
    expect(headers['content-security-policy']).not.toContain('unsafe')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['permissions-policy']).toContain('camera=(self)')
    expect(headers['cache-control']).toBe('no-cache')
  })

  it('keeps assets whose name changes with their content', async () => {
    const { headers } = await (await pages()).inject('/assets/main-ABCD2345.js')
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(headers['content-type']).toContain('javascript')
  })

  it('has siblings without a file ending, and nothing outside its folder', async () => {
    const app = await pages()
    expect((await app.inject('/check')).body).toContain('check')
    expect((await app.inject('/nothing')).json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect((await app.inject('/..%2f..%2fetc/passwd')).statusCode).toBeGreaterThanOrEqual(400)
  })

  it('must have been built', async () => {
    const app = createApp({ logger: createLogger('silent') })
    await expect(app.register(webPlugin, { root: '/nonexistent' })).rejects.toThrow('run the web build first')
  })
})
