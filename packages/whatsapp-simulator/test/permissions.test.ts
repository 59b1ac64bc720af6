import { afterEach, expect, it } from 'vitest'
import { Business, businessSdp, customer } from './support/business.ts'

const HOUR = 3_600_000
interface Allowed {
  readonly permission: { readonly status: string }
  readonly actions: readonly { readonly can_perform_action: boolean; readonly limits: readonly object[] }[]
}

let business: Business
afterEach(() => business.simulator.close())

const start = async (...options: Parameters<typeof Business.start>) => {
  business = await Business.start(...options)
  return business
}
const permission = async () =>
  (await business.request(`call_permissions?user_wa_id=${customer}`)).json as unknown as Allowed
const dialed = async () => [...business.simulator.calls.values()].at(-1)!

it('lets nobody be called who did not allow it, and shows it', async () => {
  await start()
  expect(await business.dial()).toMatchObject({ status: 401, code: 138006 })
  const { permission: own, actions } = await permission()
  expect([own, actions.map(({ can_perform_action }) => can_perform_action)]).toEqual([
    { status: 'no_permission' },
    [true, false],
  ])
})

it('asks once in a day and twice in a week, until a call is connected', async () => {
  await start()
  expect((await business.ask()).status).toBe(200)
  expect(await business.ask()).toMatchObject({ status: 400, code: 138009 })
  business.now += 24 * HOUR + 1
  expect((await business.ask()).status).toBe(200)
  business.now += 48 * HOUR
  expect(await business.ask()).toMatchObject({ code: 138009 })
  business.simulator.permissions.called(customer, true)
  expect((await business.ask()).status).toBe(200)
  business.simulator.permissions.grant(customer, true)
  expect(await business.ask()).toMatchObject({ status: 400, code: 138017 })
})

it('grants for 168 hours, or for ever, as the customer says, and tells the business', async () => {
  await start()
  business.simulator.answersRequest(customer, { granted: true })
  const reply = business.news.at(-1)?.messages?.[0]?.interactive.call_permission_reply
  expect(reply).toEqual({
    response: 'accept',
    is_permanent: false,
    expiration_timestamp: String((business.now + 168 * HOUR) / 1000),
    response_source: 'user_action',
  })
  business.now += 168 * HOUR - 1
  expect((await permission()).permission.status).toBe('temporary')
  business.now++
  expect(await business.dial()).toMatchObject({ code: 138006 })
  business.simulator.answersRequest(customer, { granted: true, permanent: true })
  business.now += 10_000 * HOUR
  expect((await permission()).permission).toEqual({ status: 'permanent' })
  business.simulator.answersRequest(customer, { granted: false })
  expect(await business.dial()).toMatchObject({ code: 138006 })
  expect(business.events).toEqual(['accept', 'accept', 'reject'])
})

it('grants by itself to a business that asks for it, when a customer calls', async () => {
  await start()
  const callAndEnd = () => business.simulator.ends(business.simulator.userCalls(customer, 'María', 'v=0\r\n'))
  callAndEnd()
  expect(business.events).toEqual(['connect', 'terminate'])
  await business.post('settings', { calling: { callback_permission_status: 'ENABLED' } })
  callAndEnd()
  callAndEnd()
  expect(business.events.slice(2)).toEqual(['connect', 'terminate', 'accept', 'connect', 'terminate'])
  expect(business.news[4]?.messages?.[0]?.interactive.call_permission_reply.response_source).toBe('automatic')
})

it('takes the permission away after four calls that nobody answered, and not when one was', async () => {
  await start()
  business.simulator.permissions.grant(customer)
  const call = async (answered: boolean) => {
    expect((await business.dial()).status).toBe(200)
    const made = await dialed()
    if (answered) business.simulator.status(made, 'ACCEPTED')
    business.simulator.ends(made)
  }
  for (const answered of [false, false, false, true, false, false, false]) await call(answered)
  expect((await permission()).permission.status).toBe('temporary')
  await call(false)
  expect(await business.dial()).toMatchObject({ code: 138006 })
})

it('connects a hundred calls in a day, and says when the next may be', async () => {
  await start()
  business.simulator.permissions.grant(customer)
  for (let n = 0; n < 100; n++) business.simulator.permissions.called(customer, true)
  expect(await business.dial()).toMatchObject({ status: 400, code: 138012 })
  const [limit] = (await permission()).actions[1]!.limits
  expect(limit).toMatchObject({ current_usage: 100, limit_expiration_time: business.now / 1000 + 24 * 3600 })
  business.now += 24 * HOUR + 1
  expect((await business.dial()).status).toBe(200)
})

it('tells of ringing, answer and refusal, and of the end after a refusal', async () => {
  await start()
  business.simulator.permissions.grant(customer)
  await business.dial()
  const call = await dialed()
  business.simulator.phoneConnects(call, 'v=0\r\n')
  business.simulator.status(call, 'RINGING')
  business.simulator.status(call, 'REJECTED')
  expect(business.events).toEqual(['connect', 'RINGING', 'REJECTED', 'terminate'])
  expect(business.news[0]?.calls?.[0]).toMatchObject({
    direction: 'BUSINESS_INITIATED',
    from: '4930123456',
    to: customer,
    session: { sdp_type: 'answer' },
  })
  business.simulator.status(call, 'ACCEPTED')
  expect(business.events).toHaveLength(4)
})

it('rings for ever, or as long as a test wants', async () => {
  await start()
  business.simulator.permissions.grant(customer)
  await business.dial()
  business.now += HOUR
  business.simulator.check()
  expect((await dialed()).ended).toBe(false)
  await business.simulator.close()
  await start({ times: { ringOut: 30_000 } })
  business.simulator.permissions.grant(customer)
  await business.dial()
  business.now += 30_000
  business.simulator.check()
  expect((await dialed()).ended).toBe(true)
})

it('refuses the calls that no business may make', async () => {
  await start({ concurrent: 1 })
  business.simulator.permissions.grant(customer)
  for (const reply of [await business.dial('someone'), await business.ask('someone')])
    expect(reply).toMatchObject({ status: 400, code: 100 })
  expect(await business.dial(customer, businessSdp('active'))).toMatchObject({ status: 400, code: 100 })
  await business.post('settings', { calling: { status: 'DISABLED' } })
  expect(await business.dial()).toMatchObject({ status: 401, code: 138000 })
  await business.post('settings', { calling: { status: 'ENABLED', sip: { status: 'ENABLED' } } })
  expect(await business.dial()).toMatchObject({ status: 400, code: 131055 })
  await business.post('settings', { calling: { sip: { status: 'DISABLED' } } })
  expect((await business.dial(`+${customer}`)).status).toBe(200)
  expect(await business.dial()).toMatchObject({ status: 429, code: 138002 })
  await business.simulator.close()
  await start()
  business.simulator.permissions.grant(customer)
  await business.dial()
  expect(await business.dial()).toMatchObject({ status: 400, code: 138003 })
})

it.each(['14155550100', '20100000000', '84900000000', '2348000000000'])(
  'lets a number of a country without business calls, %s, call nobody',
  async (businessNumber) => {
    await start({ businessNumber })
    business.simulator.permissions.grant(customer)
    expect(await business.dial()).toMatchObject({ status: 400, code: 138013 })
  },
)
