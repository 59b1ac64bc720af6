/** The sans-IO TURN/STUN core. */

export type { Channel, Permission, Relay } from './allocation.ts'
export { Allocation } from './allocation.ts'
export { AllocationTable } from './allocation-table.ts'
export { dataIndication } from './data-indication.ts'
export type * from './policies.ts'
export type { Limits, TurnServerOptions } from './server.ts'
export { TurnServer } from './server.ts'
export type * from './types.ts'
