/** The parts of npm `node-turn` 0.0.6 that the engine uses; the package ships no types. */
declare module 'node-turn' {
  import type { Socket } from 'node:dgram'
  import type { EventEmitter } from 'node:events'

  namespace Server {
    interface Config {
      listeningIps: string[]
      listeningPort: number
      relayIps?: string[]
      /** Local address → advertised address. */
      externalIps?: Record<string, string>
      minPort: number
      maxPort: number
      maxAllocateLifetime?: number
      defaultAllocatetLifetime?: number
      authMech: 'long-term'
      realm: string
      debugLevel: 'OFF'
      debug(level: string, message: unknown): void
    }

    interface Address {
      readonly family: 1 | 2
      readonly address: string
      readonly port: number
      /** `IPV4://address:port` */
      toString(): string
    }

    interface Transport {
      readonly src: Address
      readonly dst: Address
      socket: Pick<Socket, 'send'>
      get5Tuple(): string
    }

    interface Message {
      readonly class: number
      readonly method: number
      readonly transport: Transport
      readonly transactionID: string
      readonly server: Server
      allocation: Allocation | null
      user: { readonly username: string } | null
      readonly attributes: readonly { readonly name: string }[]
      debug(level: string, message: unknown): void
      getAttribute(name: string): unknown
      getAttributes(name: string): unknown[]
      addAttribute(name: string, value?: unknown): void
      reply(): Message
      resolve(): void
      reject(code: number, reason: string): void
      discard(): void
      toBuffer(): Buffer
    }

    interface Allocation {
      readonly transport: Transport
      readonly fiveTuple: string
      readonly transactionID: string
      readonly user: { readonly username: string; readonly password: string }
      readonly sockets: Socket[]
      readonly relayedTransportAddress: Address
      /** Seconds. */
      readonly lifetime: number
      readonly timer: NodeJS.Timeout
      /** Peer address → when the permission ends, ms since the epoch. */
      readonly permissions: Record<string, number>
      /** Channel number → peer. */
      readonly channelBindings: Record<string, Address>
      update(lifetime?: number): unknown
      getPeerChannelNumber(peer: string): number | undefined
    }

    type SendIndication = Pick<Message, 'allocation' | 'transactionID' | 'debug' | 'getAttribute'>
  }

  class Server extends EventEmitter {
    constructor(config: Server.Config)
    start(): void
    stop(): void
    debug(level: string, message: unknown): void
    readonly realm: string
    readonly listeningPort: number
    readonly maxAllocateLifetime: number
    readonly defaultAllocatetLifetime: number
    allocations: Record<string, Server.Allocation>
    readonly network: { readonly sockets: Socket[]; readonly listeningIps: string[] }
    readonly allocate: { allocateUdp(request: Server.Message): Promise<Socket[]> }
    readonly authentification: {
      credentials: Record<string, string>
      generateNonce(): string
      checkNonce(nonce: string): boolean
    }
    readonly send: { send(indication: Server.SendIndication): void }
    /** Read by methods/refresh.js under names that the constructor never sets. */
    defaultLifetime?: number
    maxAllocateTimeout?: number
  }

  export = Server
}
