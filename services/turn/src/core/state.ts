/** The state that handlers share: what is allocated, what is due, and the outputs of the call in progress. */

import { SecurityFeature } from '@hairpin/stun'
import type { Allocation, Channel, Permission, Relay } from './allocation.ts'
import { AllocationTable } from './allocation-table.ts'
import { Deadlines } from './deadlines.ts'
import { Nonces } from './nonce.ts'
import { DEFAULT_LIMITS, type Limits, type TurnServerOptions } from './options.ts'
import type { DropReason, Endpoint, Output } from './types.ts'

/** All that has a deadline. */
export type Expiring = Allocation | Relay | Permission | Channel

/** Where clients are sent while no new allocations are taken, by the family of their address. */
export interface Drain {
  readonly alternate?: { readonly 4?: Endpoint | undefined; readonly 6?: Endpoint | undefined } | undefined
}

export class ServerState {
  readonly options: TurnServerOptions
  readonly limits: Limits
  readonly nonces: Nonces
  readonly offersAlgorithms: boolean
  readonly allocations = new AllocationTable()
  readonly deadlines = new Deadlines<Expiring>()
  /** Set while no new allocations are taken. */
  draining: Drain | undefined = undefined
  #outputs: Output[] = []
  #lastId = 0

  constructor(options: TurnServerOptions) {
    this.options = options
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.offersAlgorithms = options.passwordAlgorithms ?? true
    const features =
      (this.offersAlgorithms ? SecurityFeature.PasswordAlgorithms : 0) |
      (options.usernames ? SecurityFeature.UsernameAnonymity : 0)
    this.nonces = new Nonces(options.nonceKey, this.limits.nonceLifetime, features)
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
