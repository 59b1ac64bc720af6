import { afterEach, describe, expect, it } from 'vitest'
import { accessToken, Business, businessSdp, customer, phoneNumberId } from './support/business.ts'

let business: Business
afterEach(() => business.simulator.close())

const start = async (...options: Parameters<typeof Business.start>) => {
  business = await Business.start(...options)
  return business
}
const rings = () => business.simulator.userCalls(customer, 'María', 'v=0\r\n')

describe('a call of a customer', () => {
  it('goes from pre_accept to accept to terminate, with words to the business', async () => {
    await start()
    const call = rings()
    for (const action of ['pre_accept', 'accept']) expect((await business.answer(action, call.id)).status).toBe(200)
    business.now += 61_000
    expect((await business.act('terminate', { call_id: call.id })).json).toEqual({
      messaging_product: 'whatsapp',
      success: true,
    })
    expect(business.events).toEqual(['connect', 'terminate'])
    expect(business.news.at(-1)?.calls?.[0]).toMatchObject({
      status: 'COMPLETED',
      duration: 61,
      start_time: '1700000000',
      end_time: '1700000061',
    })
    expect(business.simulator.violations).toEqual([])
  })

  it.each<[string, string, (id: string) => Promise<unknown>]>([
    ['an accept of its own', 'not pre-accepted', (id) => business.answer('accept', id)],
    [
      'another SDP in accept',
      'the SDP differs from that of pre_accept',
      async (id) => {
        await business.answer('pre_accept', id)
        await business.answer('accept', id, businessSdp('active', 78))
      },
    ],
    [
      'a second pre_accept',
      'pre-accepted already',
      async (id) => {
        for (let n = 0; n < 2; n++) await business.answer('pre_accept', id)
      },
    ],
    [
      'a second accept',
      'accepted already',
      async (id) => {
        for (const action of ['pre_accept', 'accept', 'accept']) await business.answer(action, id)
      },
    ],
    [
      'pre_accept after accept',
      'pre-accepted already',
      async (id) => {
        for (const action of ['pre_accept', 'accept', 'pre_accept']) await business.answer(action, id)
      },
    ],
    [
      'reject after accept',
      'not ringing',
      async (id) => {
        for (const action of ['pre_accept', 'accept']) await business.answer(action, id)
        await business.act('reject', { call_id: id })
      },
    ],
    [
      'accept after reject',
      'the call is over',
      async (id) => {
        await business.act('reject', { call_id: id })
        await business.answer('accept', id)
      },
    ],
    [
      'terminate after the customer hung up',
      'the call is over',
      async (id) => {
        business.simulator.ends(business.simulator.calls.get(id)!)
        await business.act('terminate', { call_id: id })
      },
    ],
    ['a call id that is not known', 'there is no such call', () => business.act('terminate', { call_id: 'wacid.0' })],
    ['an action that is not known', 'no such action', (id) => business.act('hold', { call_id: id })],
    [
      'an offer for an answer',
      'SDP: an SDP answer',
      (id) => business.act('pre_accept', { call_id: id, session: { sdp_type: 'offer', sdp: businessSdp('active') } }),
    ],
    [
      'an SDP that breaks a rule, which the details name',
      'SDP: one SSRC',
      (id) => business.answer('pre_accept', id, businessSdp('active').replace(/a=ssrc.*\r\n/, '')),
    ],
    [
      '513 characters of opaque data',
      'biz_opaque_callback_data is too long',
      (id) => business.act('terminate', { call_id: id, biz_opaque_callback_data: 'x'.repeat(513) }),
    ],
    [
      'a request without messaging_product',
      'messaging_product is missing',
      (id) => business.post('calls', { action: 'terminate', call_id: id }),
    ],
  ])('is refused %s, with code 100', async (_what, detail, act) => {
    await start()
    await act(rings().id)
    expect(business.simulator.violations.map((violation) => violation.detail)).toEqual([detail])
    const [violation] = business.simulator.violations
    expect(violation?.rule).toMatch(/^refused-/)
  })

  it('gives 512 characters of opaque data back', async () => {
    await start()
    const [call, opaque] = [rings(), 'x'.repeat(512)]
    await business.answer('pre_accept', call.id)
    const session = { sdp_type: 'answer', sdp: businessSdp('active') }
    const reply = await business.act('accept', { call_id: call.id, session, biz_opaque_callback_data: opaque })
    expect(reply.status).toBe(200)
    business.simulator.ends(call)
    expect(business.news.at(-1)?.calls?.[0]?.biz_opaque_callback_data).toBe(opaque)
  })

  it('rings a minute, and then is over', async () => {
    await start()
    const call = rings()
    business.now += 59_999
    business.simulator.check()
    expect(call.ended).toBe(false)
    business.now++
    business.simulator.check()
    expect(business.events).toEqual(['connect', 'terminate'])
    expect(business.news.at(-1)?.calls?.[0]).not.toHaveProperty('duration')
  })
})

describe('where the documents contradict each other', () => {
  it.each([
    [true, 200],
    [false, 400],
  ])('accept alone is taken or refused (%s)', async (acceptAlone, status) => {
    await start({ rules: { acceptAlone } })
    const call = rings()
    expect((await business.answer('accept', call.id)).status).toBe(status)
    expect(call.answeredAt !== undefined).toBe(acceptAlone)
  })

  it.each([
    [true, 200],
    [false, 400],
  ])('terminate ends a call that rings, or reject alone does (%s)', async (terminateUnaccepted, status) => {
    await start({ rules: { terminateUnaccepted } })
    const call = rings()
    expect((await business.act('terminate', { call_id: call.id })).status).toBe(status)
    expect(call.ended).toBe(terminateUnaccepted)
  })

  it.each([[30_000], [60_000]])('a call rings for %i ms', async (ring) => {
    await start({ times: { ring } })
    const call = rings()
    business.now += ring - 1
    business.simulator.check()
    expect(call.ended).toBe(false)
    business.now++
    business.simulator.check()
    expect(call.ended).toBe(true)
  })
})

describe('the address', () => {
  it('needs the access token, the phone number id and a version that has calls', async () => {
    await start()
    const { id } = rings()
    const body = JSON.stringify({ messaging_product: 'whatsapp', action: 'reject', call_id: id })
    const to = (url: string, headers = {}) => business.request('calls', { method: 'POST', body, headers }, url)
    expect(await to(business.url, { authorization: 'Bearer no' })).toMatchObject({ status: 401, code: 190 })
    expect(await to(business.url, { authorization: accessToken })).toMatchObject({ status: 401, code: 190 })
    expect(await to(business.url.replace('v23.0', 'v16.0'))).toMatchObject({ status: 400, code: 100 })
    expect(await to(business.url.replace(phoneNumberId, '1'))).toMatchObject({ status: 400, code: 100 })
    expect(await to(business.url)).toMatchObject({ status: 200 })
  })
})

describe('trouble', () => {
  it('answers with any status and code, for one action or for any', async () => {
    await start()
    const { id } = rings()
    business.simulator.failNext('reject', [500, 138004], [429, 138005])
    business.simulator.failNext('*', [503])
    expect(await business.act('reject', { call_id: id })).toMatchObject({ status: 500, code: 138004 })
    expect(await business.act('reject', { call_id: id })).toMatchObject({ status: 429, code: 138005 })
    expect((await business.request('settings').catch(() => 'not JSON')) as unknown).toBe('not JSON')
    expect(await business.act('reject', { call_id: id })).toMatchObject({ status: 200 })
  })

  it('breaks the connection before or after the request was carried out, or in the middle of the answer', async () => {
    await start()
    const calls = [rings(), rings(), rings(), rings(), rings()]
    business.simulator.failNext('reject', 'drop', 'drop-after', 'half', 'garbage', 'hang')
    for (const { id } of calls.slice(0, 4)) await expect(business.act('reject', { call_id: id })).rejects.toThrow()
    const body = JSON.stringify({ messaging_product: 'whatsapp', action: 'reject', call_id: calls[4]?.id })
    const signal = AbortSignal.timeout(50)
    await expect(business.request('calls', { method: 'POST', body, signal })).rejects.toThrow(/timeout/)
    expect(calls.map(({ ended }) => ended)).toEqual([false, true, true, true, false])
  })

  it('answers late, after the request was carried out', async () => {
    await start({ latency: (kind) => (kind === 'reject' ? 200 : 0) })
    const call = rings()
    let answered = false
    const reply = business.act('reject', { call_id: call.id }).finally(() => {
      answered = true
    })
    while (!call.ended) await new Promise(setImmediate)
    expect(answered).toBe(false)
    expect((await reply).status).toBe(200)
  })
})
