/** Bindings from one socket for each family: RFC 8489 section 6, RFC 5780 sections 4.3 and 4.4. */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type BindingAnswer, endpointText, type Log, type StunFacts } from '@hairpin/checks'
import {
  Attribute,
  Class,
  decodeAddress,
  decodeXorAddress,
  type Endpoint,
  encodeChangeRequest,
  familyOf,
  type Message,
  MessageWriter,
  Method,
  parseMessage,
} from '@hairpin/stun'

/** Milliseconds between sends, of which there are so many. */
const RETRANSMIT = 500
const SENDS = 5

export interface Destination {
  readonly url: string
  readonly address: string
  readonly port: number
}

interface Binding {
  readonly mapped: Endpoint
  readonly other: Endpoint | undefined
  readonly ms: number
}

/** Asks all of them, and where one takes part in discovery, its other addresses too. */
export async function askBindings(destinations: readonly Destination[], log: Log): Promise<StunFacts> {
  const answers: BindingAnswer[] = []
  let filtering: StunFacts['filtering']
  for (const family of [4, 6] as const) {
    const ofFamily = destinations.filter(({ address }) => familyOf(address) === family)
    if (ofFamily.length === 0) continue
    const asker = await Asker.open(family)
    try {
      for (const destination of ofFamily) {
        const { answer, other } = await asker.ask(destination, log)
        if (answer) answers.push(answer)
        if (!other || filtering) continue
        log(`it takes part in RFC 5780, its other address is ${endpointText(other.address, other.port)}`)
        for (const port of [destination.port, other.port]) {
          const more = await asker.ask({ url: destination.url, address: other.address, port }, log)
          // An alternate address that is silent is the firewall of the server, and no sign of this NAT.
          if (more.answer?.mapped) answers.push(more.answer)
        }
        filtering = await asker.filtering(destination)
      }
    } finally {
      asker.close()
    }
  }
  return { answers, ...(filtering ? { filtering } : {}) }
}

/** Our address as others see it, by one Binding from a socket; undefined when nothing comes back. */
export async function mappedOf(socket: Socket, address: string, port: number): Promise<Endpoint | undefined> {
  const answer = await binding(socket, address, port)
  return typeof answer === 'string' ? undefined : answer.mapped
}

class Asker {
  readonly #socket: Socket

  static async open(family: 4 | 6): Promise<Asker> {
    const socket = createSocket(`udp${family}`)
    socket.bind(0)
    await once(socket, 'listening')
    return new Asker(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  async ask(
    { url, address, port }: Destination,
    log: Log,
  ): Promise<{ answer?: BindingAnswer; other?: Endpoint | undefined }> {
    const server = endpointText(address, port)
    const source = await sourceFor(address, port)
    if (source === undefined) {
      log(`${server}: this machine has no way there`)
      return {}
    }
    const local = endpointText(source, this.#socket.address().port)
    const answer = await binding(this.#socket, address, port)
    if (typeof answer === 'string') {
      log(`${server}: ${answer}`)
      return { answer: { url, server, local, problem: answer } }
    }
    const mapped = endpointText(answer.mapped.address, answer.mapped.port)
    log(`${server} sees ${local} as ${mapped}, in ${Math.round(answer.ms)} ms`)
    return { answer: { url, server, local, mapped, ms: answer.ms }, other: answer.other }
  }

  /** RFC 5780 section 4.4: whether answers come in from the server's other address, or its other port. */
  async filtering({ address, port }: Destination): Promise<StunFacts['filtering']> {
    if (typeof (await binding(this.#socket, address, port, { address: true, port: true })) !== 'string')
      return 'endpoint-independent'
    if (typeof (await binding(this.#socket, address, port, { address: false, port: true })) !== 'string')
      return 'address-dependent'
    return 'address-and-port-dependent'
  }

  close(): void {
    this.#socket.close()
  }
}

/** What is wrong, as text, when nothing usable came back. */
function binding(
  socket: Socket,
  address: string,
  port: number,
  change?: { readonly address: boolean; readonly port: boolean },
): Promise<Binding | string> {
  const id = randomBytes(12)
  const writer = new MessageWriter(Method.Binding, Class.Request, id)
  if (change) writer.attribute(Attribute.ChangeRequest, encodeChangeRequest(change))
  const bytes = writer.finish()
  const from = performance.now()
  return new Promise((resolve) => {
    let sends = 0
    const send = () => {
      if (sends++ === SENDS) return done(`no answer within ${(RETRANSMIT * SENDS) / 1000} s`)
      socket.send(bytes, port, address, (error) => error && done(error.message))
    }
    const timer = setInterval(send, RETRANSMIT)
    const onMessage = (datagram: Buffer) => {
      const parsed = parseMessage(datagram)
      if (parsed.ok && id.equals(parsed.message.transactionId)) done(read(parsed.message, performance.now() - from))
    }
    const done = (result: Binding | string) => {
      clearInterval(timer)
      socket.off('message', onMessage)
      resolve(result)
    }
    socket.on('message', onMessage)
    send()
  })
}

function read(message: Message, ms: number): Binding | string {
  if (message.class !== Class.Success) return 'the server answered with an error'
  const value = message.get(Attribute.XorMappedAddress)
  const mapped = value && decodeXorAddress(value, message.transactionId)
  const other = message.get(Attribute.OtherAddress)
  return mapped ? { mapped, other: other && decodeAddress(other), ms } : 'no mapped address in the answer'
}

/** The address that the system sends from to get there; undefined when there is no way. */
async function sourceFor(address: string, port: number): Promise<string | undefined> {
  const probe = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  try {
    probe.connect(port, address)
    await once(probe, 'connect')
    return probe.address().address
  } catch {
    return undefined
  } finally {
    probe.close()
  }
}
