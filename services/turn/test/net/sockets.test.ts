import { Attribute, Class, encodeXorAddress, MessageWriter, Method, parseMessage } from '@hairpin/stun'
import { afterEach, describe, expect, it } from 'vitest'
import { claimPort, ListenError } from '../../src/net/listen-port.ts'
import { OwnAddresses } from '../../src/net/own-addresses.ts'
import { mappedAddress } from '../../src/net/stun-query.ts'
import { hostSurroundings } from '../../src/net/surroundings.ts'
import { bindUdp } from '../../src/net/udp-socket.ts'

const address = '127.0.0.1'
const open: { close(): void }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.close()
})
function udp(options: { port?: number; reusePort?: boolean } = {}) {
  const socket = bindUdp({ address, port: 0, family: 4, ...options })
  open.push(socket)
  return socket
}

describe('claiming the port', () => {
  it('gives the port back when it is free, and any free one for 0', () => {
    const port = claimPort([address], 0)
    expect(claimPort([address, '127.0.0.2'], port)).toBe(port)
  })

  it('notices another server, even one that shares its port, and names the variable', () => {
    const { port } = udp({ reusePort: true }).address()
    expect(() => claimPort([address], port)).toThrow(ListenError)
    expect(() => claimPort([address], port)).toThrow(/^HAIRPIN_TURN_PORT: UDP port \d+ is taken/)
    try {
      claimPort([address], port)
    } catch (error) {
      expect(error).toMatchObject({ code: 'TURN_PORT_IN_USE', port, variable: 'HAIRPIN_TURN_PORT' })
    }
  })

  it('names the other variable when an address is not here', () => {
    expect(() => claimPort(['192.0.2.222'], 0)).toThrow(/^HAIRPIN_LISTEN_IPS/)
  })
})

describe('own relayed addresses', () => {
  const relay = (external: string, local: string) =>
    [{ family: 4, external, local, source: 'configured', why: '' }] as const
  const live = { isLive: (port: number, _: 4 | 6, transport: string) => port === 50_000 && transport === 'udp' }

  it('are translated behind a 1:1 NAT while the port is live', () => {
    const own = new OwnAddresses(relay('93.184.216.34', '10.0.0.5'), live)
    expect(own.translates).toBe(true)
    expect(own.toLocal('93.184.216.34', 50_000)).toBe('10.0.0.5')
    expect(own.toExternal('10.0.0.5', 50_000)).toBe('93.184.216.34')
    expect(own.toLocal('93.184.216.34', 22)).toBe('93.184.216.34')
    expect(own.toExternal('10.0.0.5', 22)).toBe('10.0.0.5')
    expect(own.toLocal('1.1.1.1', 50_000)).toBe('1.1.1.1')
    expect(own.toLocal('93.184.216.34', 50_000, 'tcp')).toBe('93.184.216.34')
  })

  it('need nothing where both sides are the same', () => {
    expect(new OwnAddresses(relay('10.0.0.5', '10.0.0.5'), live).translates).toBe(false)
  })
})

describe('asking a STUN server', () => {
  /** Answers the nth request that comes in. */
  async function stunServer(answerFrom: number): Promise<string> {
    const server = udp()
    let asked = 0
    server.on('message', (bytes, from) => {
      const parsed = parseMessage(bytes)
      if (!parsed.ok || ++asked < answerFrom) return
      const id = parsed.message.transactionId
      const value = encodeXorAddress({ address: '93.184.216.34', port: 4000 }, id)
      server.send(
        new MessageWriter(Method.Binding, Class.Success, id).attribute(Attribute.XorMappedAddress, value).finish(),
        from.port,
        from.address,
      )
    })
    return `${address}:${server.address().port}`
  }

  it('gives the address it sees, though a datagram is lost', async () => {
    expect(await mappedAddress(await stunServer(1), address, 1000)).toBe('93.184.216.34')
    expect(await mappedAddress(await stunServer(2), address, 1000)).toBe('93.184.216.34')
  })

  it('gives up in time when nobody answers or the name is none', async () => {
    const started = performance.now()
    expect(await mappedAddress(await stunServer(99), address, 250)).toBeUndefined()
    expect(await mappedAddress('no-such-host.invalid:3478', address, 250)).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(1500)
  })
})

describe('the host', () => {
  const host = hostSurroundings()

  it('reaches its own address, and knows when it does not', async () => {
    const ports = { min: 42_000, max: 42_999 }
    expect(await host.reaches(address, address, ports)).toBe(true)
    expect(await host.reaches('127.0.0.9', address, ports)).toBe(false)
  })

  it('lists its addresses without zones', () => {
    expect(host.addresses()).toContain(address)
    for (const own of host.addresses()) expect(own).not.toContain('%')
  })

  it('names its default source without sending, or nothing', async () => {
    const source = await host.defaultSource(4)
    if (source !== undefined) expect(host.addresses()).toContain(source)
  })
})

describe('binding', () => {
  it('is done when the call returns, and throws what went wrong', () => {
    const socket = udp()
    expect(socket.address().port).toBeGreaterThan(0)
    expect(() => udp({ port: socket.address().port })).toThrow('EADDRINUSE')
  })
})
