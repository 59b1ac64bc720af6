/** Bodies of whoever finds the address, over real sockets. */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type App, createApp, createLogger } from '@hairpin/http'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Bodies } from '../src/webhook/bodies.ts'
import { Intake } from '../src/webhook/intake.ts'
import { callEvents } from '../src/webhook/plugin.ts'
import { appSecret, connectCall, envelope, phoneNumberId, sign } from './support/payloads.ts'

const MIB = 1024 * 1024
const most = 2 * MIB
const atOnce = 8 * MIB
const forged = `sha256=${'0'.repeat(64)}`
let app: App
let intake: Intake
let bodies: Bodies
let port: number
/** The most bytes that were held at a time. */
let peak: number

class Watched extends Bodies {
  override read(...args: Parameters<Bodies['read']>): Promise<Buffer> {
    args[0].on('data', () => queueMicrotask(() => (peak = Math.max(peak, this.bytes))))
    return super.read(...args)
  }
}

beforeEach(async () => {
  peak = 0
  bodies = new Watched({ most, atOnce })
  const none = () => {}
  intake = new Intake({ phoneNumberId, onUpdate: none, onFault: none, onStale: none, onNameless: none })
  app = createApp({ logger: createLogger('silent') })
  await app.register(callEvents, { verifyToken: 'v', appSecret, intake, bodies })
  await app.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.address() as AddressInfo).port
})
afterEach(async () => {
  intake.close()
  await app.close()
})

function post(signature: string, length?: number): { sent: ClientRequest; answer: Promise<IncomingMessage> } {
  const headers = {
    'content-type': 'application/json',
    'x-hub-signature-256': signature,
    ...(length === undefined ? {} : { 'content-length': length }),
  }
  const sent = request({ host: '127.0.0.1', port, method: 'POST', path: '/call-events', agent: false, headers })
  const answer = Promise.race([
    once(sent, 'response').then(([response]) => (response as IncomingMessage).resume()),
    once(sent, 'error').then(([error]) => Promise.reject(error)),
  ])
  return { sent, answer }
}

/** Whole, as Meta posts it. */
async function deliver(body: string): Promise<number | undefined> {
  const { sent, answer } = post(sign(body))
  sent.end(body)
  return (await answer).statusCode
}

const news = (n: number) => JSON.stringify(envelope({ calls: [connectCall(`wacid.${n}`, Date.now())] }))

it('holds no more than its bound of fifty large bodies that nobody signed, and takes what Meta signed between them', async () => {
  const almost = Buffer.alloc(most - 1)
  const attempts = Array.from({ length: 50 }, () => post(forged, most))
  // None is complete, so none can be judged; all but a few have to go.
  const refused: IncomingMessage[] = []
  for (const { sent, answer } of attempts) {
    sent.write(almost)
    answer.then((response) => refused.push(response)).catch(() => {})
  }
  await expect.poll(() => refused.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(46)
  expect(new Set(refused.map(({ statusCode, headers }) => `${statusCode} ${headers['retry-after']}`))).toEqual(
    new Set(['503 5']),
  )
  for (let n = 0; n < 20; n++) expect(await deliver(news(n))).toBe(200)
  expect(intake.waiting + intake.counts.taken).toBe(20)
  expect(peak).toBeGreaterThan(atOnce / 2)
  expect(peak).toBeLessThanOrEqual(atOnce)
  for (const { sent } of attempts) sent.destroy()
  await expect.poll(() => bodies.bytes).toBe(0)
})

it('refuses what is too large, with and without a length, and what has no signature before its body comes', async () => {
  const declared = post(forged, most + 1)
  declared.sent.end(Buffer.alloc(most + 1))
  expect((await declared.answer).statusCode).toBe(413)
  const chunked = post(forged)
  chunked.sent.write(Buffer.alloc(most + 1))
  expect((await chunked.answer).statusCode).toBe(413)
  chunked.sent.destroy()
  const unsigned = post('sha256=', most)
  unsigned.sent.write('{')
  expect((await unsigned.answer).statusCode).toBe(401)
  unsigned.sent.destroy()
  await expect.poll(() => bodies.bytes).toBe(0)
})

it('gives back what was held of a body whose sender is gone', async () => {
  const { sent, answer } = post(forged, most)
  answer.catch(() => {})
  sent.write(Buffer.alloc(MIB))
  await expect.poll(() => bodies.bytes).toBeGreaterThan(MIB)
  sent.destroy()
  await expect.poll(() => bodies.bytes).toBe(0)
  expect(await deliver(news(1))).toBe(200)
})
