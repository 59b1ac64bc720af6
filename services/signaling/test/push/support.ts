import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@hairpin/config'
import { onTestFinished } from 'vitest'
import type { PushBody } from '../../src/core/output.ts'

export const body: PushBody = {
  type: 'incoming-call',
  callId: '6c1f2d3e-0000-4000-8000-0123456789ab',
  name: 'anna',
  target: 'bob',
  date: 1_766_400_000_000,
}

/** A folder that ends with the test. */
export function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-push-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function configWith(env: Record<string, string>, dataDir = dataFolder()) {
  return loadConfig({ HAIRPIN_DATA_DIR: dataDir, ...env })
}

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** An HTTP service on loopback that keeps what it gets. */
export async function service(answer: (request: Received) => { status: number; body?: string }) {
  const received: Received[] = []
  let wake: () => void = () => undefined
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const got = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) }
      received.push(got)
      const { status, body: text = '' } = answer(got)
      response.writeHead(status).end(text)
      wake()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    /** The request with this number, from 0. */
    async request(index: number): Promise<Received> {
      while (received.length <= index)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      return received[index] as Received
    },
  }
}

/** What a browser has of its subscription; `decrypt` is its side of RFC 8291 and 8188. */
export function subscriber(address: string) {
  const ecdh = createECDH('prime256v1')
  const own = ecdh.generateKeys()
  const auth = randomBytes(16)
  return {
    endpoint: { kind: 'web' as const, address, p256dh: own.toString('base64url'), auth: auth.toString('base64url') },
    decrypt(payload: Buffer): unknown {
      const salt = payload.subarray(0, 16)
      const idLength = payload.readUInt8(20)
      const sender = payload.subarray(21, 21 + idLength)
      const record = payload.subarray(21 + idLength)
      // RFC 8291 section 3.4.
      const info = Buffer.concat([Buffer.from('WebPush: info\0'), own, sender])
      const secret = Buffer.from(hkdfSync('sha256', ecdh.computeSecret(sender), auth, info, 32))
      const derive = (name: string, length: number) =>
        Buffer.from(hkdfSync('sha256', secret, salt, Buffer.from(`Content-Encoding: ${name}\0`), length))
      const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12))
      decipher.setAuthTag(record.subarray(-16))
      const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
      // The last record ends with 2 and zeros (RFC 8188 section 2).
      const end = plain.lastIndexOf(2)
      return JSON.parse(plain.subarray(0, end).toString('utf8'))
    },
  }
}
