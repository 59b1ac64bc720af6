/** The Hairpin SDK: signaling, calls and their statistics for browsers, React Native and Node. No framework, no dependency. */
export { AgentCall, type AgentCallEvents, type AgentCallOptions, type AgentSignal } from './agent-call.ts'
export type { AgentCallEnd, AgentCallState, AgentEndReason, AgentMediaState, Caller } from './agent-call-state.ts'
export { type Agent, AgentDesk, type AgentDeskEvents, AgentRefusal, type CallPermission } from './agent-desk.ts'
export { type BackoffOptions, backoff, type ReconnectPolicy } from './backoff.ts'
export { Call } from './call.ts'
export type { CallEvents, CallOptions, CallSignal } from './call-options.ts'
export type { CallEnd, CallEndReason, CallState } from './call-state.ts'
export { Calls, type CallsEvents, type CallsOptions } from './calls.ts'
export { HairpinClient, type HairpinClientEvents, type HairpinClientOptions, type Text } from './client.ts'
export { Emitter, type Listener } from './emitter.ts'
export { type ClientErrorCode, clientErrors, HairpinError } from './errors.ts'
export { type Media, type MediaSource, type MediaWish, openMedia, stopMedia } from './media.ts'
export { Negotiator, type NegotiatorEvents } from './negotiator.ts'
export { type PathKind, readSelectedPair, type SelectedPair, type StatsReport } from './pair.ts'
export { Push, type PushEndpoint, type PushKeys, type PushSource } from './push.ts'
export { Room, type RoomEvents, type RoomState } from './room.ts'
export { RoomPeer, type RoomPeerEvents, type RoomPeerState, type RoomSignal } from './room-peer.ts'
export type { CallNote, SessionStore } from './saved-session.ts'
export {
  type CloseInfo,
  type Joined,
  SignalingConnection,
  type SignalingEvents,
  type SignalingOptions,
  type SignalingState,
  type WebSocketLike,
} from './signaling.ts'
export { CallStats, type CallStatsOptions, type CallStatsSample } from './stats.ts'
export type { Timers } from './timers.ts'
