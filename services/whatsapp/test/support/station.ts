/** The whole service on loopback: webhook, machine, Graph client and media, with Meta's side simulated. */
import { type App, createApp, createLogger } from '@hairpin/http'
import { Phone, type SimulatedCall, Simulator, until, type WebhookForms } from '@hairpin/whatsapp-simulator'
import type { AgentEvent, CallTimes } from '../../src/core/call.ts'
import type { PermissionUpdate } from '../../src/core/updates.ts'
import { GraphClient } from '../../src/graph/client.ts'
import type { NewLeg } from '../../src/media/leg.ts'
import { nativeLegs } from '../../src/media/native-leg.ts'
import { CallService, type FinishedCall } from '../../src/service.ts'
import { Intake } from '../../src/webhook/intake.ts'
import { callEvents } from '../../src/webhook/plugin.ts'

const phoneNumberId = '106540352242922'
const accessToken = 'EAAB-the-access-token'
const appSecret = 'the app secret'

export interface Told {
  readonly agent: string
  readonly callId: string
  readonly event: AgentEvent
}

export interface StationOptions {
  readonly mode?: 'bridge' | 'direct'
  readonly newLeg?: NewLeg
  readonly forms?: Partial<WebhookForms>
}

export class Station {
  readonly told: Told[] = []
  readonly records: FinishedCall[] = []
  readonly permissions: PermissionUpdate[] = []
  /** Ids of customers whose replies had no number. */
  readonly nameless: (string | undefined)[] = []
  readonly warnings: object[] = []
  /** Ids that Meta holds, as the service said. */
  readonly alive = new Set<string>()
  /** Of every webhook that was delivered. */
  readonly statuses: number[] = []
  readonly simulator: Simulator
  readonly service: CallService
  readonly #app: App
  readonly #intake: Intake
  readonly #graph: GraphClient
  readonly #phones: Phone[] = []

  static async start(times: Partial<CallTimes> = {}, options: StationOptions = {}): Promise<Station> {
    const webhook: { app?: App; statuses: number[] } = { statuses: [] }
    const simulator = new Simulator({
      phoneNumberId,
      accessToken,
      appSecret,
      ...(options.forms === undefined ? {} : { forms: options.forms }),
      deliver: async (payload, signature) => {
        const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature }
        const reply = await webhook.app?.inject({ method: 'POST', url: '/call-events', payload, headers })
        webhook.statuses.push(reply?.statusCode ?? 0)
      },
    })
    const station = new Station(simulator, await simulator.listen(), times, options, webhook.statuses)
    await station.#app.register(callEvents, { verifyToken: 'v', appSecret, intake: station.#intake })
    webhook.app = station.#app
    return station
  }

  private constructor(
    simulator: Simulator,
    url: string,
    times: Partial<CallTimes>,
    { mode = 'bridge', newLeg = nativeLegs() }: StationOptions,
    statuses: number[],
  ) {
    this.statuses = statuses
    this.simulator = simulator
    this.#graph = new GraphClient({ url, phoneNumberId, accessToken: () => accessToken, retryDelay: 1 })
    let count = 0
    this.service = new CallService({
      graph: this.#graph,
      mode,
      newLeg,
      tell: (agent, callId, event) => this.told.push({ agent, callId, event }),
      onRecord: (record) => this.records.push(record),
      onPermission: (update) => this.permissions.push(update),
      onOpen: (id) => this.alive.add(id),
      onClosed: (id) => this.alive.delete(id),
      log: { warn: (fields) => this.warnings.push(fields) },
      newKey: () => `out-${++count}`,
      times,
    })
    this.#intake = new Intake({
      phoneNumberId,
      onUpdate: (update) => this.service.update(update),
      onFault: (error) => {
        throw error
      },
      onStale: () => {},
      onNameless: ({ userId }) => this.nameless.push(userId),
    })
    this.#app = createApp({ logger: createLogger('silent') })
  }

  phone(lite = true): Phone {
    const phone = new Phone({ lite })
    this.#phones.push(phone)
    return phone
  }

  /** A customer calls, whose phone takes the SDP that Meta gets first. */
  async incoming(number = '491701234567'): Promise<{ call: SimulatedCall; customer: Phone }> {
    const customer = this.phone()
    const call = this.simulator.userCalls(number, 'Maria', await customer.offer())
    this.simulator.watch(call, customer)
    await until(() => call.preAccepted, 'the call is pre-accepted')
    await customer.join(call.sdp!)
    return { call, customer }
  }

  /** The browser of an agent offers its media to a call. @returns undefined when the call is another's */
  async connect(agent: string, callId: string): Promise<Phone | undefined> {
    const browser = this.phone(false)
    const answer = await this.service.offer(agent, callId, await browser.offer())
    if (answer === undefined) return undefined
    await browser.join(answer)
    return browser
  }

  heardBy(agent: string): string[] {
    return this.told
      .filter((told) => told.agent === agent)
      .map(({ event }) =>
        'state' in event ? event.state : 'reason' in event ? `${event.type} ${event.reason}` : event.type,
      )
  }

  async close(): Promise<void> {
    await this.service.close()
    this.#intake.close()
    this.#graph.close()
    for (const phone of this.#phones) await phone.close()
    await this.#app.close()
    await this.simulator.close()
  }
}
