import { type IncomingHttpHeaders, request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { TLSSocket } from 'node:tls'
import type { CertificateFacts } from '@hairpin/checks'
import { certificateFacts, lookingAt } from './certificate.ts'
import { timeout } from './trouble.ts'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** At most 64 KiB of it. */
  readonly body: string
  readonly ms: number
  readonly certificate?: CertificateFacts
}

const LIMIT = 8_000
const MAX_BODY = 64 * 1024

/** One request; a redirect is an answer, and so is one with a bad certificate. Rejects for what networks do. */
export function request(
  url: URL,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<HttpAnswer> {
  const from = performance.now()
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? secure : plain
    const outgoing = send(url, { method, headers, agent: false, ...lookingAt(host) })
    const timer = setTimeout(() => outgoing.destroy(timeout('no answer', LIMIT)), LIMIT)
    outgoing.on('close', () => clearTimeout(timer))
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const ms = performance.now() - from
      const certificate = response.socket instanceof TLSSocket ? certificateFacts(response.socket, host) : undefined
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > MAX_BODY) response.destroy()
      })
      response.on('error', reject)
      response.on('close', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: text,
          ms,
          ...(certificate ? { certificate } : {}),
        }),
      )
    })
    outgoing.end(body)
  })
}
