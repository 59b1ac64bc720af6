import websocket from '@fastify/websocket'
import { type Config, ConfigError } from '@hairpin/config'
import type { Desk } from '@hairpin/desk'
import type { IceServersSource } from '@hairpin/ice-servers'
import { clientSchemas, path, limits as protocolLimits, subprotocol } from '@hairpin/protocol'
import { TokenKeys } from '@hairpin/tokens'
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Registry } from 'prom-client'
import type { WebSocket } from 'ws'
import { Admission, type AdmissionLimits, originAllowed, refusal } from '../admission.ts'
import { Driver, type DriverLimits } from '../driver.ts'
import type { PushGateway } from '../push/gateway.ts'

export interface SignalingOptions {
  readonly config: Pick<Config, 'demo' | 'signaling' | 'identity'>
  readonly iceServers: IceServersSource
  /** Wakes devices that have no connection (`openPushGateway`); undefined: none is woken. Closed with the application. */
  readonly push?: PushGateway
  /** The service that brings customers' calls. The users of `app` may be agents; undefined: guests may, and nobody else. */
  readonly desk?: { readonly desk: Desk; readonly app: string | undefined }
  readonly registry: Registry
  readonly logger: FastifyBaseLogger
  /** The app that guests belong to. */
  readonly app?: string
  readonly limits?: Partial<DriverLimits & AdmissionLimits>
}

/** The WebSocket of docs/PROTOCOL.md at `/ws`. Register it once per application. */
export const signalingPlugin: FastifyPluginAsync<SignalingOptions> = async (app, options) => {
  const { config, iceServers, registry, logger } = options
  const { perSource, total, ...rates } = config.signaling.limits
  const strange = Object.keys(rates.typesPerSecond).find(
    (type) => type !== 'other' && !Object.hasOwn(clientSchemas, type),
  )
  if (strange !== undefined)
    throw new ConfigError('HAIRPIN_MESSAGE_TYPE_RATES', `"${strange}" is no type of message that clients send`)
  const admission = new Admission({ perSource, total, ...options.limits })
  const driver = new Driver({
    guests: config.demo,
    app: options.app ?? 'demo',
    keys: new TokenKeys(config.identity),
    iceServers,
    ...(options.push ? { push: options.push } : {}),
    ...(options.desk ? { desk: options.desk } : {}),
    registry,
    logger,
    limits: { ...rates, graceMs: config.signaling.resumeGrace * 1000, ...options.limits },
  })

  // Node upgrades every path once anybody listens for upgrades; an answer to another path would leave its socket
  // behind, without a parser and in the way of a clean close. So only our path is an upgrade, the rest is plain HTTP.
  const server = app.server as typeof app.server & { shouldUpgradeCallback: (request: { url?: string }) => boolean }
  server.shouldUpgradeCallback = (request) => request.url?.split('?', 1)[0] === path

  await app.register(websocket, {
    options: {
      maxPayload: protocolLimits.messageBytes,
      handleProtocols: (offered: Set<string>) => offered.has(subprotocol) && subprotocol,
    },
    errorHandler: (error, socket) => driver.failed(socket, error),
    // The plugin's own hook closes the sockets and then waits for each of them, a silent one included.
    preClose: async () => driver.stop(),
  })

  /** Of the upgrades that are under way. */
  const responses = new WeakMap<FastifyRequest, FastifyReply['raw']>()
  const admit = async (request: FastifyRequest, reply: FastifyReply) => {
    responses.set(request, reply.raw)
    const refuse = (status: number, code: Parameters<typeof refusal>[1]) => {
      driver.metrics.error(code)
      return refusal(status, code)
    }
    if (!request.ws) throw refuse(426, 'SIG_UPGRADE_REQUIRED')
    if (!originAllowed(request.headers.origin, request.host, config.signaling.origins))
      throw refuse(403, 'SIG_ORIGIN_DENIED')
    const objection = admission.objection(request.ip)
    if (objection !== undefined) throw refuse(objection === 'SIG_FULL' ? 503 : 429, objection)
  }

  app.route({
    method: 'GET',
    url: path,
    // After the websocket plugin's own hook, which tells upgrades from plain requests.
    preValidation: admit,
    handler: async () => {
      throw refusal(426, 'SIG_UPGRADE_REQUIRED')
    },
    wsHandler: (socket: WebSocket, request: FastifyRequest) => {
      forgetRequest(socket, request, responses.get(request))
      driver.accept(socket, request.raw.socket, admission.enter(request.ip))
    },
  })
}

/**
 * The websocket plugin's listener for errors holds the request and the reply, and the response is still assigned to the
 * socket: without this they live as long as the connection, which is more than all that the connection needs itself.
 */
function forgetRequest(socket: WebSocket, request: FastifyRequest, response: FastifyReply['raw'] | undefined): void {
  socket.removeAllListeners('error')
  response?.detachSocket(request.raw.socket)
}
