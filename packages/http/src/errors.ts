import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** An error that the client is told of: HTTP status, a stable code (docs/ERRORS.md) and a sentence that says what to do. */
export class HttpError extends Error {
  readonly statusCode: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(statusCode: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'HttpError'
    this.statusCode = statusCode
    this.code = code
    this.headers = headers
  }
}

/** Fastify's own error codes that a client can cause, in our words. */
const frameworkCodes: Readonly<Record<string, string>> = {
  FST_ERR_VALIDATION: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_JSON_BODY: 'INVALID_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'INVALID_JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
}

/** What a client is told of an error. */
export interface ToldError {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** An error handler whose answers have another form than `{"error":{"code","message"}}`: that of a service that is stood in for. */
export function errorsAs(render: (error: ToldError, request: FastifyRequest, reply: FastifyReply) => unknown) {
  return (error: FastifyError | HttpError, request: FastifyRequest, reply: FastifyReply): void => {
    const told = toldOf(error, request)
    if (error instanceof HttpError) reply.headers(error.headers)
    reply.code(told.status)
    reply.send(render(told, request, reply))
  }
}

/** Answers every error as `{"error":{"code","message"}}`. */
export const handleError = errorsAs(({ code, message }) => body(code, message))

/** What is our fault is logged and tells the client nothing. */
function toldOf(error: FastifyError | HttpError, request: FastifyRequest): ToldError {
  const status = error.statusCode ?? 500
  if (status >= 500 && !(error instanceof HttpError)) {
    request.log.error({ err: error, code: 'INTERNAL_ERROR' }, 'request failed')
    return { status: 500, code: 'INTERNAL_ERROR', message: 'The server failed to handle this request.' }
  }
  const code = error instanceof HttpError ? error.code : (frameworkCodes[error.code] ?? 'BAD_REQUEST')
  return { status, code, message: error.message }
}

export function handleNotFound(request: FastifyRequest, reply: FastifyReply): void {
  reply.code(404).send(body('NOT_FOUND', `There is nothing at ${request.method} ${request.url.split('?', 1)[0]}.`))
}

function body(code: string, message: string) {
  return { error: { code, message } }
}
