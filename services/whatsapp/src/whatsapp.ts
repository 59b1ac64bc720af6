/** The bridge for WhatsApp calls as the rest of Hairpin sees it: a desk for signaling, a webhook for Meta, records. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Config, Secrets, WhatsappConfig } from '@hairpin/config'
import type { Desk } from '@hairpin/desk'
import type { IceServersSource } from '@hairpin/ice-servers'
import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify'
import type { Registry } from 'prom-client'
import { CallDesk } from './desk/desk.ts'
import { GraphClient } from './graph/client.ts'
import { Leftovers } from './leftovers.ts'
import { LegError, type NewLeg } from './media/leg.ts'
import { WhatsappMetrics } from './metrics.ts'
import { openMedia } from './open-media.ts'
import { recordsApi } from './records/api.ts'
import { customers } from './records/customers.ts'
import { openRecords, RECORDS_FILE } from './records/database.ts'
import { RecordStore } from './records/store.ts'
import { CallService } from './service.ts'
import { Intake } from './webhook/intake.ts'
import { callEvents } from './webhook/plugin.ts'

export interface WhatsappServiceOptions {
  readonly config: Config & { readonly whatsapp: WhatsappConfig }
  readonly secrets: Secrets
  readonly logger: FastifyBaseLogger
  readonly registry: Registry
  /** Relay credentials for the legs to agents: the relay in the same process, or its API. */
  readonly iceServers: IceServersSource
}

export interface WhatsappService {
  /** For signaling. */
  readonly desk: Desk
  /** For the public origin: `/call-events` and `/api/v1/whatsapp/calls`. Its records are closed with the application. */
  readonly plugin: FastifyPluginAsync
  /** Ends what a killed process left behind at Meta; calls are taken from now on. */
  start(): Promise<void>
  ready(): boolean
  /** Ends all calls, and says so to Meta. */
  stop(): Promise<void>
}

/** ms that a stop waits for Meta; compose gives the process 20 s. */
const FAREWELL = 8000

/** @throws when the records' file cannot be opened */
export function createWhatsappService(options: WhatsappServiceOptions): WhatsappService {
  const { config, secrets, logger, registry } = options
  const {
    phoneNumberId,
    graphUrl,
    accessToken,
    verifyToken,
    appSecret,
    mode,
    calls: limit,
    ring,
    records,
  } = config.whatsapp
  const kept = customers(secrets.internalKey, records.fullNumbers)
  const db = openRecords(join(config.dataDir, RECORDS_FILE))
  const store = new RecordStore({ db, customers: kept, days: records.days, log: logger })
  const graph = new GraphClient({ url: graphUrl, phoneNumberId, accessToken: () => accessToken })
  const intake = new Intake({
    phoneNumberId,
    onUpdate: (update) => service.update(update),
    onFault: (err) => logger.error({ code: 'WHATSAPP_UPDATE_BROKEN', err }, 'news of a call could not be handled'),
    onStale: ({ kind, at }) =>
      logger.warn(
        { code: 'WHATSAPP_STALE', kind, age: Math.round((Date.now() - at) / 1000) },
        'news of a call came too late',
      ),
    onNameless: ({ userId, granted }) =>
      logger.warn(
        { code: 'WHATSAPP_NAMELESS', userId, granted },
        'a customer whose number is not known replied to a permission request',
      ),
  })
  const metrics = new WhatsappMetrics(registry, {
    calls: () => service.calls,
    agents: () => desk.agents,
    updates: () => intake.counts,
  })
  let legs: NewLeg = () => {
    throw new LegError('MEDIA_FAILED', 'the service has not been started')
  }
  let ready = false
  const service: CallService = new CallService({
    graph: metrics.counted(graph),
    mode,
    newLeg: (events, side) => legs(events, side),
    tell: (agent, callId, event) => desk.told(agent, callId, event),
    onRecord(record) {
      store.add(record)
      metrics.ended(record)
      desk.over(record)
    },
    onPermission: (update) => desk.replied(update),
    onOpen: (id) => store.opened(id),
    onClosed: (id) => store.closed(id),
    log: logger,
    newKey: randomUUID,
    permissionText: config.whatsapp.permissionText,
    times: { ring: ring * 1000 },
    limit,
  })
  const leftovers = new Leftovers({
    // One that Meta has delivered again is a call of this process by now.
    end: (ids) => service.endLeftovers(ids.filter((id) => !service.has(id))),
  })
  const desk: CallDesk = new CallDesk({ mode, service, log: logger })

  return {
    desk,
    plugin: async (app) => {
      // Later than `stop`: until then somebody may ask for records.
      app.addHook('onClose', async () => store.close())
      await app.register(async (scope) => {
        scope.addHook('onResponse', async (request, reply) => {
          if (request.method === 'POST') metrics.webhook(reply.statusCode)
        })
        await scope.register(callEvents, { verifyToken, appSecret, intake })
      })
      await app.register(recordsApi({ db, customers: kept, secrets, app: config.desk.app }))
    },

    async start() {
      const left = store.leftovers()
      if (left.length > 0) {
        logger.warn(
          { code: 'WHATSAPP_LEFTOVERS', calls: left.length },
          'ending calls that a killed process left behind',
        )
        leftovers.begin(left)
      }
      if (mode === 'bridge') legs = await openMedia(options)
      ready = true
    },

    ready: () => ready,

    async stop() {
      ready = false
      intake.close()
      leftovers.close()
      const late = setTimeout(() => graph.close(), FAREWELL)
      await service.close()
      clearTimeout(late)
      graph.close()
      desk.close()
    },
  }
}
