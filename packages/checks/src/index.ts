/** The connectivity check: what is looked at, in which order, and what it means. Browsers and Node bring the drivers. */
export * from './addresses.ts'
export type { Clock } from './context.ts'
export type * from './driver.ts'
export { type BindingAnswer, type Nat, natOf } from './nat.ts'
export * from './report.ts'
export { type RunOptions, runChecks, verdictOf } from './run.ts'
export {
  type IceServersAnswer,
  isIceServersAnswer,
  type RelayTarget,
  relayTargets,
  type StunTarget,
  stunTarget,
  stunTargets,
  type Transport,
} from './servers.ts'
export { credentialsIn, errorIn, openLimit, SignalingProbe, type SocketLike } from './signaling.ts'
export { stepsFor } from './steps/index.ts'
export { type LoopFigures, type LoopLink, LoopMeter, type LoopPlan, measureLoop, usualLoop } from './traffic.ts'
export type * from './types.ts'
