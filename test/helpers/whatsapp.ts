import { signSignalingToken } from '@hairpin/tokens'
import {
  Phone,
  type SimulatedCall,
  Simulator,
  type SimulatorOptions,
  until,
  WebhookSender,
} from '@hairpin/whatsapp-simulator'
import { Client } from '../../services/signaling/test/support/client.ts'
import { type Standalone, type StandaloneOptions, startStandalone } from './standalone.ts'

const phoneNumberId = '106540352242922'
const accessToken = 'EAAB-the-access-token'
const appSecret = 'the app secret'
/** Whose users are the agents. */
const app = 'demo'
const signalingSecret = 'thirty-two characters at the least'
export const verifyToken = 'the verify token'

/** Meta's side, which outlives the stack that it calls. */
export interface Meta {
  readonly simulator: Simulator
  /** Settings of a stack that talks to it. */
  readonly env: Readonly<Record<string, string>>
  /** Where webhooks go from now on. */
  webhooksTo(url: string): WebhookSender
  close(): Promise<void>
}

export async function startMeta(options: Partial<SimulatorOptions> = {}): Promise<Meta> {
  let sender: WebhookSender | undefined
  const simulator = new Simulator({
    phoneNumberId,
    accessToken,
    appSecret,
    deliver: (body, signature) => sender?.deliver(body, signature),
    ...options,
  })
  const graphUrl = await simulator.listen()
  return {
    simulator,
    env: {
      HAIRPIN_WHATSAPP_VERIFY_TOKEN: verifyToken,
      HAIRPIN_WHATSAPP_APP_SECRET: appSecret,
      HAIRPIN_WHATSAPP_ACCESS_TOKEN: accessToken,
      HAIRPIN_WHATSAPP_PHONE_NUMBER_ID: phoneNumberId,
      HAIRPIN_WHATSAPP_GRAPH_URL: graphUrl,
      HAIRPIN_WHATSAPP_APP: app,
      HAIRPIN_SIGNALING_SECRETS: `${app}:${signalingSecret}`,
    },
    webhooksTo(url) {
      sender = new WebhookSender({ url })
      return sender
    },
    async close() {
      await sender?.close()
      await simulator.close()
    },
  }
}

/** The whole stack with calls of that number. */
export async function startWhatsapp(meta: Meta, options: StandaloneOptions = {}): Promise<Standalone> {
  const stack = await startStandalone({ ...options, env: { ...meta.env, ...options.env } })
  meta.webhooksTo(`${stack.url}call-events`)
  return stack
}

/** Makes its user an agent, for ten minutes. */
export function agentToken(name: string): Promise<string> {
  return signSignalingToken({ app, secret: signalingSecret, user: name, agent: true, ttl: 600 })
}

/** A device of an agent, over a real WebSocket. */
export async function agentDevice(stack: Standalone, name: string): Promise<Client> {
  const client = new Client(`${stack.url.replace('http', 'ws')}ws`, { patience: 20_000 })
  await client.next('id')
  client.send({ type: 'username', name, token: await agentToken(name) })
  await client.next('ice-servers')
  client.send({ type: 'agent', available: true })
  await client.next('agent', ({ agents }) => agents.some((agent) => agent.name === name))
  return client
}

/** The agent's browser takes the call that rings there, or connects to its call. */
export async function take(device: Client, callId: string): Promise<Phone> {
  const browser = new Phone({ lite: false })
  device.send({ type: 'browser-offer', callId, sdp: await browser.offer() })
  const { sdp } = await device.next('browser-answer', (answer) => answer.callId === callId)
  await browser.join(sdp)
  return browser
}

/** A customer calls, and its phone has the bridge's answer. */
export async function customerCalls({ simulator }: Meta, number: string, name = 'Maria') {
  const phone = new Phone()
  const call: SimulatedCall = simulator.userCalls(number, name, await phone.offer())
  simulator.watch(call, phone)
  await until(() => call.preAccepted, 'the call is pre-accepted')
  await phone.join(call.sdp!)
  return { call, phone }
}

/** Each hears the other. */
export async function talk(one: Phone, other: Phone): Promise<void> {
  for (const [speaker, listener] of [
    [one, other],
    [other, one],
  ] as const) {
    const words = Buffer.from(`${Math.random()}`)
    const saying = setInterval(() => void speaker.say(words), 20)
    try {
      await until(() => listener.received.some(({ payload }) => payload.equals(words)), 'what is said is heard')
    } finally {
      clearInterval(saying)
    }
  }
}
