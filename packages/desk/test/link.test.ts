import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { remoteDesk, serveDesk } from '../src/index.ts'
import { key, Log, Service, Signaling, serve, socketApi, wire } from './support/sides.ts'

/** Asks until it is so, or for longer than a busy machine needs. */
const poll = <T>(read: () => T) => expect.poll(read, { timeout: 10_000, interval: 5 })

const ring = { type: 'call-is-coming', callId: 'c1', callerNumber: '491701' } as const

describe.each([
  ['a Unix socket', () => socketApi()],
  ['TCP', () => 'ws://127.0.0.1:0'],
])('a link over %s', (_what, address) => {
  it('carries all that the two have for each other', async () => {
    const service = new Service()
    const { api } = await serve(service, address())
    const signaling = new Signaling(api)
    signaling.arrive('anna')
    await poll(() => service.log).toEqual(['arrive anna'])
    signaling.desk.appear('anna', 'd2')
    const request = { type: 'call-dial', number: '+49 170 1', sdp: 'v=0' } as const
    signaling.desk.request('anna', 'd2', request)
    signaling.desk.disappear('anna', 'd2')
    signaling.leave('anna')
    await poll(() => service.log).toEqual(['arrive anna', 'appear anna d2', 'disappear anna d2', 'leave anna'])
    expect(service.requests).toEqual([{ agent: 'anna', device: 'd2', request }])
    service.events?.tell('anna', { except: 'd2' }, ring)
    service.events?.tell('anna', { only: 'd2' }, { type: 'browser-answer', callId: 'c1', sdp: 'v=0' })
    await poll(() => signaling.told).toEqual([
      { agent: 'anna', devices: { except: 'd2' }, body: ring },
      { agent: 'anna', devices: { only: 'd2' }, body: { type: 'browser-answer', callId: 'c1', sdp: 'v=0' } },
    ])
  })
})

describe('a link', () => {
  it('that comes about later is waited for', async () => {
    const api = socketApi()
    const signaling = new Signaling(api)
    signaling.arrive('anna')
    await poll(() => signaling.log.codes).toEqual(['SIG_DESK_LOST'])
    const service = new Service({ up: false })
    await serve(service, api)
    await poll(() => signaling.log.codes).toEqual(['SIG_DESK_LOST', 'SIG_DESK_LINKED'])
    expect(signaling.states).toEqual([])
    service.events?.up()
    await poll(() => service.log).toEqual(['arrive anna'])
  })

  it('needs the key', async () => {
    const service = new Service()
    const { api, log } = await serve(service)
    const signaling = new Signaling(api, { key: 'another-key-another-key' })
    await poll(() => log.codes).toContain('DESK_LINK_DENIED')
    expect(signaling.log.codes).toEqual(['SIG_DESK_LOST'])
    expect(signaling.states).toEqual([])
  })

  it('is at one path only, and nothing but a WebSocket', async () => {
    const { api } = await serve(new Service(), 'ws://127.0.0.1:0')
    const http = api.replace('ws:', 'http:')
    expect((await fetch(`${http}/desk`)).status).toBe(426)
    const headers = { authorization: `Bearer ${key}` }
    const [, response] = await once(new WebSocket(`${api}/other`, { headers }), 'unexpected-response')
    expect(response.statusCode).toBe(404)
  })

  it('of another version is refused', async () => {
    const service = new Service()
    const { api, log } = await serve(service, 'ws://127.0.0.1:0')
    const socket = new WebSocket(`${api}/desk`, { headers: { authorization: `Bearer ${key}` } })
    await once(socket, 'open')
    socket.send('{"type":"hello","version":2,"from":"p"}')
    expect((await once(socket, 'close'))[0]).toBe(4406)
    expect(log.codes).toEqual(['DESK_VERSION'])
  })

  it('on which nothing is said at the beginning ends', async () => {
    const { api } = await serve(new Service(), 'ws://127.0.0.1:0', { helloMs: 30 })
    const socket = new WebSocket(`${api}/desk`, { headers: { authorization: `Bearer ${key}` } })
    expect((await once(socket, 'close'))[0]).toBe(1006)
  })

  it('leaves out what it does not know, and goes on', async () => {
    const service = new Service()
    const { api, log } = await serve(service, 'ws://127.0.0.1:0')
    const socket = new WebSocket(`${api}/desk`, { headers: { authorization: `Bearer ${key}` } })
    await once(socket, 'open')
    socket.send('{"type":"hello","version":1,"from":"p"}')
    const strange = [
      'nonsense',
      '[]',
      '{"type":"arrive","agent":"anna"}',
      '{"type":"disappear","agent":"anna"}',
      '{"type":"request","agent":"anna","device":"d","request":{"type":"username","name":"x"}}',
      '{"type":"request","agent":"anna","device":"d","request":{"type":"call-over"}}',
    ]
    for (const text of strange) socket.send(text)
    socket.send(Buffer.from('{"type":"leave","agent":"anna"}'))
    socket.send('{"type":"arrive","agent":"anna","device":"d"}')
    await poll(() => service.log).toEqual(['arrive anna'])
    expect(log.codes.filter((code) => code === 'DESK_FRAME_UNKNOWN')).toHaveLength(strange.length + 1)
    socket.terminate()
    await poll(() => service.here.size).toBe(0)
  })

  it('and its address are checked at the start', async () => {
    for (const api of ['http://127.0.0.1:1', 'unix:desk', '/desk', 'ws://127.0.0.1:1/x'])
      expect(() => remoteDesk({ api, key, log: new Log() })).toThrow('neither unix:/path nor ws://host:port')
    const { api } = await serve(new Service())
    await expect(serveDesk(new Service(), { api, key, log: new Log() })).rejects.toThrow('another process listens')
  })
})

describe('when a link is lost', () => {
  it('by a cut wire, everyone has left, and is told anew', async () => {
    const service = new Service()
    const { api } = await serve(service)
    const between = await wire(api)
    const signaling = new Signaling(between.api)
    for (const agent of ['anna', 'ben']) signaling.arrive(agent)
    await poll(() => service.here.size).toBe(2)
    between.cut()
    signaling.leave('anna')
    signaling.arrive('carol')
    await poll(() => [...service.here]).toEqual(['ben', 'carol'])
    expect(service.log.slice(2, 4)).toEqual(['leave anna', 'leave ben'])
    expect(service.wrong).toEqual([])
    expect(signaling.states).toEqual(['up', 'down', 'up'])
  })

  it('by a wire that stays open but carries nothing, both notice', async () => {
    const service = new Service()
    const { api } = await serve(service, socketApi(), { heartbeatMs: 100 })
    const between = await wire(api)
    const signaling = new Signaling(between.api, { heartbeatMs: 100, helloMs: 100 })
    signaling.arrive('anna')
    await poll(() => service.here.size).toBe(1)
    between.freeze(true)
    await poll(() => signaling.up).toBe(false)
    await poll(() => service.here.size).toBe(0)
    between.cut()
    between.freeze(false)
    await poll(() => service.here.size).toBe(1)
  })

  it('and another one stands before the service has noticed, the new one counts', async () => {
    const service = new Service()
    const { api } = await serve(service)
    const between = await wire(api)
    const signaling = new Signaling(between.api, { heartbeatMs: 100, helloMs: 100 })
    signaling.arrive('anna')
    await poll(() => service.here.size).toBe(1)
    // The service, with its slow heartbeat, hears of nothing; signaling gives up and comes again.
    between.freeze(true)
    await poll(() => signaling.up).toBe(false)
    signaling.leave('anna')
    signaling.arrive('ben')
    between.freeze(false)
    await poll(() => [...service.here]).toEqual(['ben'])
    expect(service.log.slice(-2)).toEqual(['leave anna', 'arrive ben'])
    expect(service.wrong).toEqual([])
  })

  it('because the service stops, signaling finds its successor', async () => {
    const api = socketApi()
    const first = new Service()
    const server = await serve(first, api)
    const signaling = new Signaling(api)
    signaling.arrive('anna')
    await poll(() => first.here.size).toBe(1)
    await server.close()
    expect(first.here.size).toBe(0)
    await poll(() => signaling.states).toEqual(['up', 'down'])
    const second = new Service()
    await serve(second, api)
    await poll(() => second.log).toEqual(['arrive anna'])
  })

  it('because signaling stops, its agents have left', async () => {
    const service = new Service()
    const { api } = await serve(service)
    const signaling = new Signaling(api)
    signaling.arrive('anna')
    await poll(() => service.here.size).toBe(1)
    signaling.desk.close()
    expect(signaling.states).toEqual(['up', 'down'])
    await poll(() => service.here.size).toBe(0)
  })

  it('because the service itself is down and up again, it is told everything anew', async () => {
    const service = new Service()
    const { api } = await serve(service)
    const signaling = new Signaling(api)
    signaling.arrive('anna')
    await poll(() => service.here.size).toBe(1)
    service.down()
    await poll(() => signaling.states).toEqual(['up', 'down'])
    service.events?.up()
    await poll(() => [...service.here]).toEqual(['anna'])
    expect(service.wrong).toEqual([])
  })

  it('because signaling does not read, the service keeps no more than its bound', async () => {
    const service = new Service()
    const { api, log } = await serve(service, socketApi(), { bufferedBytes: 64 * 1024 })
    const between = await wire(api)
    const signaling = new Signaling(between.api)
    signaling.arrive('anna')
    await poll(() => service.here.size).toBe(1)
    between.freeze(true)
    const sdp = 'x'.repeat(16 * 1024)
    for (let sent = 0; sent < 1000 && service.here.size > 0; sent++) {
      service.events?.tell('anna', 'all', { type: 'browser-answer', callId: 'c1', sdp })
      if (sent % 50 === 49) await new Promise((resolve) => setImmediate(resolve))
    }
    await poll(() => service.here.size).toBe(0)
    expect(log.codes.at(-1)).toBe('DESK_LINK_LOST')
  })
})

describe('several signaling processes', () => {
  it('share their agents: one is here as long as any of them has it', async () => {
    const service = new Service()
    const { api } = await serve(service)
    const [one, two] = [new Signaling(api, { name: 'one' }), new Signaling(api, { name: 'two' })]
    one.arrive('anna')
    await poll(() => service.log).toEqual(['arrive anna'])
    two.arrive('anna')
    await poll(() => service.log).toEqual(['arrive anna', 'appear anna two-anna'])
    service.events?.tell('anna', 'all', ring)
    for (const side of [one, two]) await poll(() => side.told).toHaveLength(1)
    one.desk.close()
    await poll(() => service.log.at(-1)).toBe('disappear anna one-anna')
    two.leave('anna')
    await poll(() => service.here.size).toBe(0)
    expect(service.log.slice(2)).toEqual(['disappear anna one-anna', 'leave anna'])
  })

  it('of which one has an agent no more: its devices have disappeared, those of the other are here', async () => {
    const service = new Service()
    const { api } = await serve(service)
    const [one, two] = [new Signaling(api, { name: 'one' }), new Signaling(api, { name: 'two' })]
    one.arrive('anna')
    one.appear('anna')
    await poll(() => service.devices.size).toBe(2)
    two.arrive('anna')
    await poll(() => service.devices.size).toBe(3)
    one.leave('anna')
    await poll(() => [...service.devices]).toEqual(['two-anna'])
    expect(service.log.slice(-2)).toEqual(['disappear anna one-anna', 'disappear anna one-anna-2'])
    expect(service.wrong).toEqual([])
  })
})

describe('whatever happens to two signaling processes and their links', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('arrive', 'appear', 'disappear', 'leave'),
        side: fc.nat(1),
        agent: fc.nat(2),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('cut'), side: fc.nat(1), agent: fc.constant(0) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('pass'), side: fc.nat(1), agent: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('down'), side: fc.nat(1), agent: fc.constant(0) }) },
  )

  it('the service ends up with the agents and devices that are here, and was never told nonsense', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const service = new Service()
        const { api, close } = await serve(service)
        const wires = [await wire(api), await wire(api)]
        const sides = wires.map((between, at) => new Signaling(between.api, { name: `s${at}` }))
        for (const { do: act, side, agent } of steps) {
          if (act === 'arrive') sides[side]?.arrive(`a${agent}`)
          if (act === 'appear') sides[side]?.appear(`a${agent}`)
          if (act === 'disappear') sides[side]?.disappear(`a${agent}`)
          if (act === 'leave') sides[side]?.leave(`a${agent}`)
          if (act === 'cut') wires[side]?.cut()
          if (act === 'pass') await new Promise((resolve) => setTimeout(resolve, 2))
          if (act === 'down') {
            service.down()
            service.events?.up()
          }
        }
        const truth = () => [...new Set(sides.flatMap(({ here }) => [...here]))].sort()
        await poll(() => sides.every(({ up }) => up)).toBe(true)
        await poll(() => [...service.here].sort()).toEqual(truth())
        await poll(() => [...service.devices].sort()).toEqual(sides.flatMap(({ devices }) => devices).sort())
        expect(service.wrong).toEqual([])
        for (const { desk } of sides) desk.close()
        await close()
      }),
      { numRuns: 25 },
    )
  })
})

describe('an attempt that fails', () => {
  it('is followed by another, and leaves nothing behind when signaling stops', async () => {
    const signaling = new Signaling('ws://127.0.0.1:9')
    await poll(() => signaling.log.codes).toEqual(['SIG_DESK_LOST'])
    signaling.desk.close()
    const service = new Service()
    const { api } = await serve(service, 'ws://127.0.0.1:0')
    onTestFinished(() => expect(service.log).toEqual([]))
    expect(api).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/)
  })
})
