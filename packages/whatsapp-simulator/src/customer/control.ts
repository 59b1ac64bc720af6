/** What customers do, over HTTP with JSON, for tests and scripts: `/control/…` beside the Graph API, with a token of its own. */
import { type App, HttpError } from '@hairpin/http'
import type { SimulatedCall } from '../call.ts'
import type { Simulator } from '../simulator.ts'
import type { Behaviour, Customers } from './customers.ts'

export interface ControlOptions {
  readonly simulator: Simulator
  readonly customers: Customers
  /** Bearer token of every request. */
  readonly token: string
}

const text = { type: 'string', minLength: 1, maxLength: 128 }
const number = { type: 'string', pattern: '^\\d{5,15}$' }
const id = { type: 'string', maxLength: 64 }
const object = (properties: object, required: readonly string[] = []) => ({
  body: { type: 'object', additionalProperties: false, properties, required },
})

/** Registered as it is, without fastify-plugin: its check of the token is for its own routes alone. */
export async function controlPlugin(app: App, { simulator, customers, token }: ControlOptions): Promise<void> {
  app.addHook('onRequest', async (request) => {
    if (request.headers.authorization !== `Bearer ${token}`)
      throw new HttpError(401, 'SIM_UNAUTHORIZED', 'Send the control token that whatsapp-sim printed.')
  })
  const callOf = (wanted: string | undefined): SimulatedCall => {
    const call = customers.live.find((live) => wanted === undefined || live.id === wanted)
    if (!call) throw new HttpError(404, 'SIM_NO_CALL', 'There is no such call; it may have ended.')
    return call
  }

  app.get('/control/status', async () => ({ behaviour: customers.behaviour, ...statusOf(simulator, customers) }))

  app.post<{ Body: { name: string; number: string } }>(
    '/control/call',
    { schema: object({ name: text, number }, ['name', 'number']) },
    async ({ body }) => summary(await customers.call(body.name, body.number)),
  )

  app.post<{ Body: { id?: string } }>('/control/hangup', { schema: object({ id }) }, async ({ body }) => {
    const call = callOf(body.id)
    customers.hangUp(call)
    return summary(call)
  })

  app.post<{ Body: { digits: string; id?: string } }>(
    '/control/dtmf',
    { schema: object({ digits: { type: 'string', pattern: '^[\\d*#A-D]{1,32}$' }, id }, ['digits']) },
    async ({ body }) => {
      const call = callOf(body.id)
      if (!customers.press(call, body.digits)) throw new HttpError(409, 'SIM_NOT_ANSWERED', 'The call is not answered.')
      return summary(call)
    },
  )

  const behaviour = {
    answer: { enum: ['answer', 'reject', 'ignore'] },
    ringFor: { type: 'integer', minimum: 0, maximum: 600_000 },
    permission: { enum: ['accept', 'accept-permanently', 'reject', 'ignore'] },
  }
  app.post<{ Body: Partial<Behaviour> }>('/control/behaviour', { schema: object(behaviour) }, async ({ body }) => {
    customers.behaviour = { ...customers.behaviour, ...body }
    return customers.behaviour
  })

  app.post<{ Body: { number: string; granted: boolean; permanent?: boolean } }>(
    '/control/permission',
    { schema: object({ number, granted: { type: 'boolean' }, permanent: { type: 'boolean' } }, ['number', 'granted']) },
    async ({ body }) => {
      simulator.answersRequest(body.number, body)
      return simulator.permissions.describe(body.number)
    },
  )
}

/** The calls that are not over, and what the business did wrong so far. */
export function statusOf(simulator: Simulator, customers: Customers) {
  return { calls: customers.live.map(summary), violations: simulator.violations }
}

function summary(call: SimulatedCall) {
  const { id, direction, number, name, actions, preAccepted, answeredAt, ended, media } = call
  const { packets = 0, reports = 0, digits = 0 } = media ?? {}
  return {
    id,
    direction,
    number,
    name,
    actions,
    preAccepted,
    answered: answeredAt !== undefined,
    ended,
    packets,
    reports,
    digits,
  }
}
