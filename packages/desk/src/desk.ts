import type { AgentRequest, ServerBody } from '@hairpin/protocol'

/** What agents ask, as their clients sent it. */
export type DeskRequest = AgentRequest

/** Types of what agents are told. */
export const bodyTypes = [
  'agent',
  'call-is-coming',
  'browser-answer',
  'answered-elsewhere',
  'ring-stopped',
  'call-state',
  'call-transferred',
  'transfer-declined',
  'call-permission',
  'call-ended',
  'error',
] as const

/** What agents are told; signaling numbers it. */
export type DeskBody = Extract<ServerBody, { type: (typeof bodyTypes)[number] }>

/** Which of an agent's devices: one, all but one, or all that take calls. */
export type Recipients = { readonly only: string } | { readonly except: string } | 'all'

export interface DeskEvents {
  /**
   * Reaches devices without a connection too: they get it, once and in order, when they are back in time.
   * @param agent the user's name
   */
  tell(agent: string, devices: Recipients, body: DeskBody): void
  /** The service can be reached, for the first time or again: it wants `arrive` for everyone who is here. */
  up(): void
  /** It cannot; requests get no answer. */
  down(): void
}

/** A service that has calls for agents. Its methods do not wait, and do not throw: answers come by `tell`. */
export interface Desk {
  /** Once, before anything else. */
  attach(events: DeskEvents): void
  /**
   * The agent has a device that takes calls and is connected, the first one. What concerns the agent is told to it: `agent`,
   * what rings, and the agent's call if there is one.
   * @param device a signaling session's id, the same again after the session was resumed
   */
  arrive(agent: string, device: string): void
  /**
   * A further device of an agent who is here takes calls, or one of them has forgotten all, as a page that was loaded anew.
   * What concerns the agent is told to this device; the others know it.
   */
  appear(agent: string, device: string): void
  /**
   * One of the devices of an agent who is here has no connection, or takes no more calls; others of the agent's do. If it
   * carries a call, these can go on with it.
   */
  disappear(agent: string, device: string): void
  /** The agent has none any more; its call, if there is one, waits a while for it. */
  leave(agent: string): void
  /** @param device whose the request is */
  request(agent: string, device: string, request: DeskRequest): void
}
