import { readdir, readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildWeb } from '../build.ts'

const dist = new URL('../dist/', import.meta.url)

describe('buildWeb', () => {
  let page: string
  beforeAll(async () => {
    await buildWeb()
    page = await readFile(new URL('index.html', dist), 'utf8')
  })

  it('refers to files that exist, by names that carry their hash, and to no other host', async () => {
    const files = await readdir(new URL('assets/', dist))
    const referred = [...page.matchAll(/(?:src|href)="(\/assets[^"]+)"/g)].map(([, url]) => url as string)
    expect(page).not.toMatch(/https?:|\/\/\w/)
    expect(referred).toHaveLength(3)
    for (const url of referred) {
      expect(url).toMatch(/^\/assets\/\w+-[A-Z0-9]{8}\.(js|css|svg)$/)
      expect(files).toContain(url.slice('/assets/'.length))
    }
  })

  it('has the connectivity check beside it, likewise', async () => {
    const check = await readFile(new URL('check.html', dist), 'utf8')
    const referred = [...check.matchAll(/(?:src|href)="\/assets\/([^"]+)"/g)].map(([, file]) => file as string)
    expect(await readdir(new URL('assets/', dist))).toEqual(expect.arrayContaining(referred))
    expect(referred).toHaveLength(3)
    expect(check).not.toMatch(/https?:|\/\/\w|<script(?![^>]*\bsrc=)|<style| style=| on\w+=|%/)
    const script = referred.find((file) => file.endsWith('.js')) as string
    expect(gzipSync(await readFile(new URL(`assets/${script}`, dist))).length).toBeLessThan(30_000)
  })

  it('needs no inline script or style', () => {
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style| style=| on\w+=/)
  })

  it('can be installed: a manifest with an icon that exists, and a service worker at the root', async () => {
    expect(page).toContain('href="/manifest.webmanifest"')
    const manifest = JSON.parse(await readFile(new URL('manifest.webmanifest', dist), 'utf8'))
    expect(await readdir(new URL('assets/', dist))).toContain(manifest.icons[0].src.slice('/assets/'.length))
    expect((await readFile(new URL('sw.js', dist))).length).toBeLessThan(2_000)
  })

  it('loads with less than 35 kB gzipped: page, script, style, icon and manifest', async () => {
    const referred = [...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, file]) => file as string)
    expect(referred).toHaveLength(4)
    const files = await Promise.all(['index.html', ...referred].map((file) => readFile(new URL(file, dist))))
    // As Caddy does it.
    expect(files.reduce((sum, file) => sum + gzipSync(file, { level: 5 }).length, 0)).toBeLessThan(35_000)
  })
})
