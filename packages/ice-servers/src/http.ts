import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { ServerIceServers } from '@hairpin/protocol'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { IceServersAnswer, IceServersRequest, IceServersSource } from './source.ts'

export interface HttpIceServersOptions {
  /** `unix:/path` or `http://host:port`, as in HAIRPIN_TURN_API. */
  readonly api: string
  /** The Bearer key of the credentials API. */
  readonly key: string
  readonly timeoutMs?: number
  /** Pauses before the second, third, … try; a 4xx answer is final. */
  readonly retryMs?: readonly number[]
}

const Answer = Type.Omit(ServerIceServers, ['type', 'seq'])
const maxAnswerBytes = 64 * 1024

/** A refusal that another try would not change. */
class FinalError extends Error {}

/** Asks the credentials API of a relay that runs as another process. */
export class HttpIceServers implements IceServersSource {
  readonly #options: Required<HttpIceServersOptions>

  constructor(options: HttpIceServersOptions) {
    this.#options = { timeoutMs: 2000, retryMs: [100, 500], ...options }
  }

  /** @throws when every try failed. */
  async iceServersFor(request: IceServersRequest): Promise<IceServersAnswer> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#ask(request)
      } catch (error) {
        const pause = this.#options.retryMs[attempt]
        if (error instanceof FinalError || pause === undefined) throw error
        await delay(pause)
      }
    }
  }

  async #ask({ app, user }: IceServersRequest): Promise<IceServersAnswer> {
    const { status, body } = await this.#post(JSON.stringify({ app, user }))
    if (status >= 400 && status < 500 && status !== 429)
      throw new FinalError(`credentials API: status ${status}: ${body.slice(0, 200)}`)
    if (status !== 200 && status !== 201) throw new Error(`credentials API: status ${status}`)
    const answer: unknown = JSON.parse(body)
    if (!Value.Check(Answer, answer)) throw new FinalError('credentials API: the answer has an unknown form')
    return { iceServers: answer.iceServers, ttl: answer.ttl, expiresAt: answer.expiresAt }
  }

  #post(body: string): Promise<{ status: number; body: string }> {
    const { api, key, timeoutMs } = this.#options
    const socketPath = api.startsWith('unix:') ? api.slice('unix:'.length) : undefined
    const url = new URL('/api/v1/turn/credentials', socketPath === undefined ? api : 'http://localhost')
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        headers,
        ...(socketPath === undefined ? {} : { socketPath }),
      })
      // A signal with a timeout would go off long after most answers, and be kept until then.
      const timer = setTimeout(() => request.destroy(new Error('credentials API: no answer in time')), timeoutMs)
      request.on('close', () => clearTimeout(timer))
      request.on('error', reject)
      request.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
          if (text.length > maxAnswerBytes) request.destroy(new Error('credentials API: the answer is too long'))
        })
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
      })
      request.end(body)
    })
  }
}
