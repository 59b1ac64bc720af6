import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openPushGateway } from '../../../services/signaling/src/push/gateway.ts'
import { configWith, dataFolder, service } from '../../../services/signaling/test/push/support.ts'
import type { Client } from '../../../services/signaling/test/support/client.ts'
import { joinAs, tokenOf, twoApps } from '../../../services/signaling/test/support/identity.ts'
import { startServer } from '../../../services/signaling/test/support/server.ts'

const document = readFileSync(new URL('../../../docs/MOBILE.md', import.meta.url), 'utf8')
const [, sequence = ''] = /```text\n([\s\S]*?)```/.exec(document) ?? []
const steps = [...sequence.matchAll(/^(\w+) +(→|←|loses|returns) *([\w-]*)/gm)].map(
  ([, who = '', how = '', type = '']) => ({ who, how, type }),
)

/** FCM as far as the server can tell. */
async function fcm() {
  const google = await service(({ path }) => ({
    status: 200,
    body: path === '/token' ? '{"access_token":"at","expires_in":3600}' : '{}',
  }))
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const folder = dataFolder()
  const file = join(folder, 'account.json')
  const account = {
    project_id: 'my-app',
    client_email: 'push@my-app.iam.gserviceaccount.com',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: `${google.origin}/token`,
  }
  writeFileSync(file, JSON.stringify(account))
  const gateway = openPushGateway(configWith({ HAIRPIN_FCM_ACCOUNT: file, HAIRPIN_FCM_URL: google.origin }, folder))
  return { google, gateway }
}

it('docs/MOBILE.md has the messages in the order in which they go', async () => {
  const { google, gateway } = await fcm()
  const server = await startServer({ identity: twoApps, push: gateway })
  const ann = await joinAs(server, { user: 'ann', name: 'Ann A.' })
  const started = ann.received.length
  let ben = await server.connect()
  const sockets: Client[] = [ben]
  let session = ''
  const token = await tokenOf({ user: 'ben' })
  const sdp = (type: string) => ({ type, sdp: `v=0 ${type}` })
  const bodies: Record<string, () => object> = {
    username: () => ({ name: '', token, resume: true }),
    'push-register': () => ({ endpoint: { kind: 'fcm', address: 'registration:token' } }),
    'video-offer': () => ({ target: 'ben', media: 'video', sdp: sdp('offer') }),
    'new-ice-candidate': () => ({ target: 'ben', candidate: null }),
    resume: () => ({ token: session, seq: sockets[0]?.received.at(-1)?.seq }),
    'video-answer': () => ({ target: 'ann', sdp: sdp('answer') }),
    'hang-up': () => ({ target: null }),
  }
  expect(steps.length).toBeGreaterThan(20)
  for (const { who, how, type } of steps) {
    const client = who === 'Ben' ? ben : ann
    if (how === 'loses') {
      client.socket.terminate()
      while ((await server.metric('hairpin_signaling_connections')) > 1) await new Promise(setImmediate)
    } else if (how === 'returns') {
      ben = await server.connect()
      sockets.push(ben)
    } else if (who === 'push') {
      const { message } = JSON.parse((await google.request(1)).body.toString())
      expect(message.data).toMatchObject({ type, name: 'ann', label: 'Ann A.', target: 'ben', media: 'video' })
      expect(message.data).toHaveProperty('callId')
    } else if (how === '→') client.send({ type, ...bodies[type]?.() })
    else if (type !== 'id') {
      const message = await client.next(type as 'session')
      if (type === 'session') session = message.token
    }
  }
  // Nothing came that the document does not have, and nothing in another order.
  const told = (name: string) => steps.filter(({ who, how }) => who === name && how === '←').map(({ type }) => type)
  const heard = (messages: Client['received']) => messages.map(({ type }) => type).filter((type) => type !== 'userlist')
  expect(heard(sockets.flatMap(({ received }) => received))).toEqual(told('Ben'))
  expect(heard(ann.received.slice(started))).toEqual(told('Ann'))
})
