import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Webhooks } from '../../src/budgets/webhooks.ts'

const secret = 'a-secret-of-the-webhooks'
let folder: string
let path: string
const cleanUp: (() => unknown)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hairpin-webhooks-'))
  path = join(folder, 'webhooks.json')
  cleanUp.push(() => rmSync(folder, { recursive: true }))
})
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** Answers with these statuses in turn, and with the last one from then on. */
async function receiver(...statuses: number[]) {
  const got: { headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer(async (request, response) => {
    got.push({ headers: request.headers, body: await text(request) })
    response.writeHead(statuses[Math.min(got.length, statuses.length) - 1]!).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.push(() => server.close())
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

function webhooks(url: string, key = secret) {
  const logged: object[] = []
  const log = { warn: (details: object) => logged.push(details), info: () => {} }
  const made = new Webhooks({ path, targetOf: () => ({ url, secret: key }), log })
  cleanUp.push(() => made.close())
  return Object.assign(made, { logged })
}

it.each([
  ['text', secret, new Webhook(secret, { format: 'raw' })],
  ['whsec_', 'whsec_c2VjcmV0LW9mLXRoZS13ZWJob29rcw==', new Webhook('whsec_c2VjcmV0LW9mLXRoZS13ZWJob29rcw==')],
])('signs as Standard Webhooks: the library verifies a secret of %s', async (_form, key, library) => {
  const { got, url } = await receiver(204)
  const sender = webhooks(url, key)
  sender.send('shop', '{"type":"budget.mark_reached"}')
  await vi.waitFor(() => expect(sender.counts.delivered).toBe(1), 15_000)
  const { body, headers } = got[0]!
  expect(library.verify(body, headers as Record<string, string>)).toEqual({ type: 'budget.mark_reached' })
  expect(() => library.verify(`${body} `, headers as Record<string, string>)).toThrow()
  expect(sender.waiting).toBe(0)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([])
})

it('sends again, with the same id, until it is taken', async () => {
  const { got, url } = await receiver(503, 200)
  const sender = webhooks(url)
  sender.send('shop', '{}')
  await vi.waitFor(() => expect(sender.counts.delivered).toBe(1), 15_000)
  expect(sender.counts).toEqual({ delivered: 1, failed: 1, 'given-up': 0 })
  expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(sender.logged).toMatchObject([{ code: 'BUDGET_WEBHOOK_FAILED', app: 'shop', error: 'status 503' }])
})

it('follows no redirect', async () => {
  const { url } = await receiver(302)
  const sender = webhooks(url)
  sender.send('shop', '{}')
  await vi.waitFor(() => expect(sender.logged).toMatchObject([{ error: 'status 302' }]), 15_000)
})

it('keeps what a dead receiver did not take over a restart', async () => {
  const { url, got } = await receiver(200)
  const first = webhooks('http://127.0.0.1:9/')
  first.send('shop', '{"n":1}')
  await vi.waitFor(() => expect(first.counts.failed).toBe(1), 15_000)
  first.close()
  const second = webhooks(url)
  second.start()
  await vi.waitFor(() => expect(got.map(({ body }) => body)).toEqual(['{"n":1}']), 15_000)
})
