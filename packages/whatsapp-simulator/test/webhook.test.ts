import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Release, signatureOf, userIdOf, type WebhookForms, WebhookSender } from '../src/index.ts'
import { appSecret, Business, customer, newsOf } from './support/business.ts'

let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

async function start(forms: Partial<WebhookForms> = {}): Promise<Business> {
  const business = await Business.start({ forms })
  closing.push(() => business.simulator.close())
  return business
}
const rings = (business: Business, number = customer) => business.simulator.userCalls(number, 'María', 'v=0\r\n')

it('signs the bytes, which no parser and printer gives back', async () => {
  const business = await start()
  rings(business)
  business.simulator.ends(rings(business), 138021)
  for (const { body, signature } of business.deliveries) {
    expect(signature).toBe(signatureOf(body, appSecret))
    expect(signature).toMatch(/^sha256=[\da-f]{64}$/)
    const printed = Buffer.from(JSON.stringify(JSON.parse(body.toString())))
    expect(signatureOf(printed, appSecret)).not.toBe(signature)
  }
  const plain = await start({ escaped: false })
  rings(plain)
  const [{ body, signature } = { body: Buffer.of(), signature: '' }] = plain.deliveries
  expect(signatureOf(Buffer.from(JSON.stringify(JSON.parse(body.toString()))), appSecret)).toBe(signature)
})

describe('held back', () => {
  const release = async (how: Release, count = 2) => {
    const business = await start()
    business.simulator.hold()
    for (let n = 0; n < count; n++) rings(business, `4917012${n}`)
    business.simulator.ends([...business.simulator.calls.values()][0]!)
    expect(business.deliveries).toEqual([])
    business.simulator.release(how)
    return business
  }

  it('comes in its order, or the terminate before its connect', async () => {
    expect((await release({})).events).toEqual(['connect', 'connect', 'terminate'])
    expect((await release({ order: 'reversed' })).events).toEqual(['terminate', 'connect', 'connect'])
  })

  it('comes twice', async () => {
    const { deliveries, events } = await release({ copies: 2 })
    expect(events).toEqual(['connect', 'connect', 'connect', 'connect', 'terminate', 'terminate'])
    expect(deliveries[0]).toEqual(deliveries[1])
  })

  it('comes together, a thousand at a time', async () => {
    const { deliveries } = await release({ together: true }, 1499)
    expect(deliveries.map(({ body }) => newsOf(body).length)).toEqual([1000, 500])
  })

  it('holds back nothing afterwards', async () => {
    const business = await release({})
    rings(business)
    expect(business.events).toHaveLength(4)
  })
})

describe('the forms that were documented or seen', () => {
  const ended = async (forms: Partial<WebhookForms>, code?: number) => {
    const business = await start(forms)
    business.simulator.ends(rings(business), code)
    const [connect, terminate] = business.news
    return { connect, terminate, call: connect?.calls?.[0], end: terminate?.calls?.[0] }
  }

  it.each(['COMPLETED', 'Completed'] as const)('status %s', async (completed) => {
    expect((await ended({ completed })).end).toMatchObject({ status: completed })
    expect((await ended({ completed }, 138021)).end).toMatchObject({ status: 'FAILED' })
  })

  it('contacts, and none', async () => {
    expect((await ended({})).connect?.contacts).toEqual([{ profile: { name: 'María' }, wa_id: customer }])
    expect((await ended({ contacts: false })).connect).not.toHaveProperty('contacts')
  })

  it('from and to, and the other way round', async () => {
    expect((await ended({})).call).toMatchObject({ from: customer, to: '4930123456' })
    expect((await ended({ swapped: true })).call).toMatchObject({ from: '4930123456', to: customer })
  })

  it('phone numbers, usernames beside them, or usernames alone', async () => {
    const user = userIdOf(customer)
    const both = await ended({ users: 'both' })
    expect(both.call).toMatchObject({ from: customer, from_user_id: user })
    expect(both.connect?.contacts?.[0]).toMatchObject({ wa_id: customer, user_id: user })
    const alone = await ended({ users: 'user-id' })
    expect(alone.call).toMatchObject({ from_user_id: user, to: '4930123456' })
    expect(JSON.stringify(alone.connect)).not.toContain(customer)
    const asked = await start({ users: 'user-id' })
    asked.simulator.answersRequest(customer, { granted: true })
    expect(asked.news[0]).toMatchObject({ messages: [{ from_user_id: user }] })
    expect(JSON.stringify(asked.news)).not.toContain(customer)
  })

  it('errors beside the calls, or within the call', async () => {
    const beside = await ended({}, 138021)
    expect(beside.terminate?.errors).toMatchObject([{ code: 138021 }])
    expect(beside.end).not.toHaveProperty('errors')
    const within = await ended({ errorsAt: 'call' }, 138021)
    expect(within.terminate).not.toHaveProperty('errors')
    expect(within.end).toMatchObject({ errors: [{ code: 138021 }] })
  })

  it.each([
    ['session', ['session']],
    ['connection', ['connection']],
    ['both', ['session', 'connection']],
  ] as const)('the SDP of an answer at %s', async (sdpAt, places) => {
    const business = await start({ sdpAt })
    business.simulator.permissions.grant(customer)
    await business.dial()
    business.simulator.phoneConnects([...business.simulator.calls.values()][0]!, 'the answer')
    const call = business.news[0]?.calls?.[0] ?? {}
    expect(Object.keys(call).filter((key) => ['session', 'connection'].includes(key))).toEqual(places)
    const found = { session: { sdp: 'the answer' }, connection: { webrtc: { sdp: 'the answer' } } }
    for (const place of places) expect(call).toMatchObject({ [place]: found[place] })
  })
})

describe('the sender', () => {
  interface Request {
    readonly url: string
    readonly headers: IncomingMessage['headers']
    readonly body: string
  }

  /** Answers with these, and then with 200. */
  async function receiver(...answers: ((url: URL) => [status: number, body?: string])[]) {
    const requests: Request[] = []
    const server: Server = createServer(async (request, reply) => {
      let body = ''
      for await (const chunk of request) body += chunk
      requests.push({ url: request.url ?? '', headers: request.headers, body })
      const [status, text = ''] = answers.shift()?.(new URL(request.url ?? '', 'http://x')) ?? [200]
      reply.writeHead(status).end(text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const sender = (more = {}) => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/call-events`
      const made = new WebhookSender({ url, retryDelay: 1, ...more })
      closing.push(() => made.close())
      return made
    }
    return { requests, sender }
  }

  it('delivers with the signature, and again until the answer is 200', async () => {
    const statuses: unknown[] = []
    const { requests, sender } = await receiver(
      () => [503],
      () => [204],
    )
    const own = sender({ onAttempt: (status: number, attempt: number) => statuses.push([status, attempt]) })
    const body = Buffer.from('{"a":"é"}')
    own.deliver(body, signatureOf(body, appSecret))
    await own.idle()
    expect(statuses).toEqual([
      [503, 1],
      [204, 2],
      [200, 3],
    ])
    for (const request of requests)
      expect([request.body, request.headers['x-hub-signature-256']]).toEqual([
        '{"a":"é"}',
        signatureOf(body, appSecret),
      ])
  })

  it('gives up in the end', async () => {
    const { requests, sender } = await receiver(
      () => [500],
      () => [500],
      () => [500],
    )
    const own = sender({ attempts: 2 })
    own.deliver(Buffer.from('{}'), 'sha256=')
    await own.idle()
    expect(requests).toHaveLength(2)
  })

  it('verifies the address by the bare challenge', async () => {
    const challengeOf = (url: URL) => url.searchParams.get('hub.challenge') ?? ''
    const { requests, sender } = await receiver(
      (url) => [200, challengeOf(url)],
      (url) => [200, JSON.stringify(challengeOf(url))],
      (url) => [403, challengeOf(url)],
    )
    const own = sender()
    expect(await own.verify('let me in', '42')).toBe('verified')
    expect(requests[0]?.url).toBe('/call-events?hub.mode=subscribe&hub.challenge=42&hub.verify_token=let+me+in')
    expect(await own.verify('let me in')).toEqual({ refused: 'the answer is not the bare challenge' })
    expect(await own.verify('let me in')).toEqual({ refused: 'HTTP 403' })
    const nobody = new WebhookSender({ url: 'http://127.0.0.1:1/call-events' })
    expect(await nobody.verify('let me in')).toBe('unreachable')
    await nobody.close()
  })
})
