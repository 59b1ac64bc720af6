/** The state that handlers share: what is allocated, what is due, and the outputs of the call in progress. */

import { SecurityFeature } from '@hairpin/stun'
import type { Allocation, Channel, Permission, Relay } from './allocation.ts'
import { AllocationTable } from './allocation-table.ts'
import { Deadlines } from './deadlines.ts'
import { Nonces } from './nonce.ts'
import { DEFAULT_LIMITS, type Limits, type TurnServerOptions } from './options.ts'
import { type PeerConnection, PeerConnections } from './tcp/connections.ts'
import type { TokenBucket } from './token-bucket.ts'
import type { DropReason, Endpoint, Output } from './types.ts'

/** All that has a deadline. */
export type Expiring = Allocation | Relay | Permission | Channel | PeerConnection

/** Where clients are sent while no new allocations are taken, by the family of their address. */
export interface Drain {
  readonly alternate?: { readonly 4?: Endpoint | undefined; readonly 6?: Endpoint | undefined } | undefined
}

export class ServerState {
  options: TurnServerOptions
  limits: Limits
  nonces: Nonces
  readonly offersAlgorithms: boolean
  readonly allocations: AllocationTable
  readonly connections = new PeerConnections()
  readonly deadlines = new Deadlines<Expiring>()
  /** Shared by all allocations; undefined without a limit. */
  totalBandwidth: TokenBucket | undefined = undefined
  /** Set while no new allocations are taken. */
  draining: Drain | undefined = undefined
  #outputs: Output[] = []
  #lastId = 0

  constructor(options: TurnServerOptions) {
    this.options = options
    this.allocations = new AllocationTable(options.flows)
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.offersAlgorithms = options.passwordAlgorithms ?? true
    this.nonces = this.#makeNonces()
  }

  /** New options from the next datagram on. Nonces that are out stay valid: the key is the same. */
  reconfigure(changes: Partial<TurnServerOptions>): void {
    this.options = { ...this.options, ...changes }
    this.limits = { ...DEFAULT_LIMITS, ...this.options.limits }
    this.nonces = this.#makeNonces()
  }

  #makeNonces(): Nonces {
    const features = this.offersAlgorithms ? SecurityFeature.PasswordAlgorithms : 0
    return new Nonces(this.options.nonceKey, this.limits.nonceLifetime, features)
  }

  nextId(): number {
    return ++this.#lastId
  }

  emit(output: Output): void {
    this.#outputs.push(output)
  }

  ignore(reason: DropReason): void {
    this.emit({ type: 'ignore', reason })
  }

  drain(): Output[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }
}
