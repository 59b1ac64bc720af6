/** What the pool and its workers say to each other. */
import type { MessagePort } from 'node:worker_threads'
import type { Config, LivePolicies } from '@hairpin/config'
import type { AppRules } from '../../apps/table.ts'
import type { Drain } from '../../core/index.ts'
import type { AllocationInfo, AllocationQuery, Sample } from '../../engine.ts'
import type { Standing } from '../../ledger/budget.ts'
import type { PackedBatch } from '../../ledger/packed.ts'
import type { RelayAddress, ServerAddresses } from '../../net/addresses.ts'
import type { Handover } from '../../net/tcp-relay/relay.ts'

/** `workerData`: all a worker needs; the buffers are shared by all of them. */
export interface WorkerSettings {
  /** From 0. */
  readonly worker: number
  readonly workers: number
  /** Names this life of the worker in its usage; a new one for each start. */
  readonly epoch: string
  /** Somebody takes its usage. */
  readonly metered: boolean
  readonly turn: Config['turn']
  readonly addresses: ServerAddresses
  readonly turnSecrets: readonly string[]
  readonly apps: readonly AppRules[]
  readonly nonceKey: Uint8Array
  readonly tokenKey: Uint8Array
  /** Seals the tickets of clients that move. */
  readonly mobilityKey: Uint8Array
  readonly ports: SharedArrayBuffer
  readonly portOwners: SharedArrayBuffer
  readonly quota: SharedArrayBuffer
  readonly credits: SharedArrayBuffer
  /** Which worker has which client. */
  readonly flows: SharedArrayBuffer
  readonly flowKey: Uint8Array
  /** Set when the relay drains already: a worker that was started again. */
  readonly drain?: Drain | undefined
  readonly revoked: readonly string[]
  /** The others serve already, so there is nobody to wait for. */
  readonly joins: boolean
  /** Of apps that their budgets do not leave free. */
  readonly standings: ReadonlyMap<string, Standing>
}

export type ToWorker =
  /** All workers are bound: take datagrams from now on. */
  | { readonly type: 'serve' }
  | { readonly type: 'snapshot'; readonly id: number }
  | { readonly type: 'drain'; readonly drain: Drain }
  | { readonly type: 'secrets'; readonly turnSecrets: readonly string[] }
  | { readonly type: 'apps'; readonly apps: readonly AppRules[] }
  | { readonly type: 'relay-addresses'; readonly relay: readonly RelayAddress[] }
  | { readonly type: 'policies'; readonly policies: LivePolicies }
  | { readonly type: 'revoke'; readonly usernames: readonly string[] }
  | { readonly type: 'enforce'; readonly standings: ReadonlyMap<string, Standing> }
  | { readonly type: 'list'; readonly id: number; readonly query: AllocationQuery }
  | { readonly type: 'close'; readonly id: number; readonly allocation: string }
  /** A client's connection from another worker, with its port. */
  | { readonly type: 'take'; readonly handover: Handover }
  /** The channel that was asked for by `connect`. */
  | { readonly type: 'connected'; readonly worker: number; readonly port: MessagePort }
  /** A channel by which another worker hands over what is for clients of this one. */
  | { readonly type: 'accept'; readonly port: MessagePort }
  | { readonly type: 'stop' }

export type FromWorker =
  /** Its sockets are in the kernel's group; it waits for `serve`. */
  | { readonly type: 'bound' }
  | { readonly type: 'listening' }
  /** Packets of clients of that other worker came in: asks for a channel to it. */
  | { readonly type: 'connect'; readonly worker: number }
  /** A client's connection belongs to the worker it names. */
  | { readonly type: 'handOver'; readonly handover: Handover }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string }
  /** Id 0: unasked, every second, so that little is lost should the worker crash. */
  | { readonly type: 'samples'; readonly id: number; readonly samples: Sample[] }
  /** Every second, unless nothing was relayed, and at the end. */
  | { readonly type: 'usage'; readonly batch: PackedBatch }
  | { readonly type: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string }
  /** To `list` and `close`. */
  | { readonly type: 'allocations'; readonly id: number; readonly allocations: AllocationInfo[] }
  | { readonly type: 'stopped' }
