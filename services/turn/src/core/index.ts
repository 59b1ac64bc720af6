/** The sans-IO TURN/STUN core. */

export type { Channel, Permission, Relay } from './allocation.ts'
export { Allocation } from './allocation.ts'
export { AllocationTable } from './allocation-table.ts'
export { dataIndication } from './data-indication.ts'
export type { PeerPolicyOptions } from './peer-policy.ts'
export { createPeerPolicy, DEFAULT_PEER_DENY } from './peer-policy.ts'
export type * from './policies.ts'
export type { RelayPortsOptions } from './ports.ts'
export { RelayPorts } from './ports.ts'
export type { Limits, TurnServerOptions } from './server.ts'
export { TurnServer } from './server.ts'
export type * from './types.ts'
