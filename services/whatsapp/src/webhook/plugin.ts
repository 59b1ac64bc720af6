/**
 * `GET|POST /call-events`: where Meta verifies the webhook and delivers events. It answers at once (Meta waits about
 * 20 s and then delivers again) and leaves the work to the intake.
 */
import type { IncomingMessage } from 'node:http'
import { type App, HttpError } from '@hairpin/http'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { Type } from 'typebox'
import { Bodies } from './bodies.ts'
import type { Intake } from './intake.ts'
import { isSameText, isSignature, isSigned } from './signature.ts'

export interface WebhookOptions {
  /** The text that the operator gave Meta with the webhook's address. */
  readonly verifyToken: string
  /** Of the Meta app: signs every event. */
  readonly appSecret: string
  readonly intake: Pick<Intake, 'offer'>
  /** Gathers what is posted. */
  readonly bodies?: Bodies
}

const Verification = Type.Object({
  'hub.mode': Type.Literal('subscribe'),
  'hub.challenge': Type.String({ minLength: 1, maxLength: 256, pattern: '^[\\w.-]+$' }),
  'hub.verify_token': Type.String(),
})

/** Bytes: 1000 updates, each with an SDP. */
const BODY_LIMIT = 8 * 1024 * 1024
/** Of such bodies at once, before it is known who sends them. */
const BODIES = 4

/** Registered as it is, without fastify-plugin: its parser of bodies is for its own route alone. */
export async function callEvents(app: App, options: WebhookOptions): Promise<void> {
  // The signature is over the bytes as they came, so they must not be parsed before it is checked.
  app.removeAllContentTypeParsers()
  const { bodies = new Bodies({ most: BODY_LIMIT, atOnce: BODIES * BODY_LIMIT }) } = options
  app.addContentTypeParser('*', (_request: FastifyRequest, stream: IncomingMessage) => bodies.read(stream))

  app.get('/call-events', { schema: { querystring: Verification } }, async (request, reply) => {
    if (!isSameText(request.query['hub.verify_token'], options.verifyToken))
      throw new HttpError(403, 'WHATSAPP_VERIFY_TOKEN_WRONG', 'This is not the verify token that the operator set.')
    return reply.type('text/plain').header('x-content-type-options', 'nosniff').send(request.query['hub.challenge'])
  })

  const demandSigned = (signed: boolean) => {
    if (!signed) throw new HttpError(401, 'WHATSAPP_SIGNATURE_INVALID', 'X-Hub-Signature-256 does not sign this body.')
  }
  const claimed: onRequestAsyncHookHandler = async (request) => demandSigned(isSignature(signatureOf(request)))
  app.post('/call-events', { bodyLimit: BODY_LIMIT, onRequest: claimed }, async (request, reply) => {
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    demandSigned(isSigned(bytes, signatureOf(request), options.appSecret))
    if (!options.intake.offer(parse(bytes)))
      throw new HttpError(503, 'WHATSAPP_BUSY', 'Too many events wait; deliver this one again.', { 'retry-after': '5' })
    return reply.code(200).send()
  })
}

function signatureOf(request: FastifyRequest): unknown {
  return request.headers['x-hub-signature-256']
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new HttpError(400, 'INVALID_JSON', 'The body is not JSON.')
  }
}
