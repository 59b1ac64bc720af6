import type { Desk, DeskBody, DeskEvents, DeskRequest, Recipients } from '@hairpin/desk'

/** A service with calls that a test makes up: it notes what it is told, and can be reached from the start unless told otherwise. */
export class TestDesk implements Desk {
  /** `arrive anna`, `appear anna`, `leave anna`, `call-over anna`, in order. */
  readonly log: string[] = []
  /** By agent: the devices that were named since it arrived. */
  readonly here = new Map<string, string[]>()
  readonly requests: { agent: string; device: string; request: DeskRequest }[] = []
  readonly #up: boolean
  #events: DeskEvents | undefined

  constructor({ up = true } = {}) {
    this.#up = up
  }

  attach(events: DeskEvents): void {
    this.#events = events
    if (this.#up) events.up()
  }

  arrive(agent: string, device: string): void {
    this.log.push(`arrive ${agent}`)
    this.here.set(agent, [device])
    this.#welcome(agent, device)
  }

  appear(agent: string, device: string): void {
    this.log.push(`appear ${agent}`)
    this.here.get(agent)?.push(device)
    this.#welcome(agent, device)
  }

  disappear(agent: string, device: string): void {
    this.log.push(`disappear ${agent}`)
    const devices = this.here.get(agent)
    if (devices)
      this.here.set(
        agent,
        devices.filter((other) => other !== device),
      )
  }

  leave(agent: string): void {
    this.log.push(`leave ${agent}`)
    this.here.delete(agent)
  }

  request(agent: string, device: string, request: DeskRequest): void {
    this.log.push(`${request.type} ${agent}`)
    this.requests.push({ agent, device, request })
  }

  tell(agent: string, devices: Recipients, body: DeskBody): void {
    this.#events?.tell(agent, devices, body)
  }

  ring(agent: string, callId: string, devices: Recipients = 'all'): void {
    this.tell(agent, devices, { type: 'call-is-coming', callId, callerNumber: '491701' })
  }

  /** The agent is in this call from now on. */
  connect(agent: string, callId: string): void {
    this.tell(agent, 'all', {
      type: 'call-state',
      callId,
      state: 'connected',
      direction: 'user',
      held: false,
      resumed: false,
    })
  }

  end(agent: string, callId: string): void {
    this.tell(agent, 'all', { type: 'call-ended', callId, name: 'unknown caller', reason: 'customer-hung-up' })
  }

  up(): void {
    this.#events?.up()
  }

  down(): void {
    this.here.clear()
    this.#events?.down()
  }

  #welcome(agent: string, only: string): void {
    const agents = [...this.here.keys()].map((name) => ({ name, free: true }))
    this.tell(agent, { only }, { type: 'agent', available: true, mode: 'bridge', agents })
  }
}
