/** WhatsApp calls in the browser: Meta's Calling API on one side, agents on the other. */

export type { AgentEvent, CallRecord, CallTimes, EndReason } from './core/call.ts'
export { type CallReason, reasonTexts } from './core/reasons.ts'
export type { CallUpdate, PermissionUpdate } from './core/updates.ts'
export { type CallPermission, GraphClient, type GraphOptions } from './graph/client.ts'
export type { GraphFailure, GraphResult } from './graph/request.ts'
export type { CallSettings } from './graph/settings.ts'
export type { IceServerEntry } from './media/ice-servers.ts'
export { LegError, type MediaLeg, type NewLeg } from './media/leg.ts'
export { type NativeLegOptions, nativeLegs } from './media/native-leg.ts'
export {
  type AskAnswer,
  CallService,
  type CallServiceOptions,
  type FinishedCall,
  type PermissionAnswer,
} from './service.ts'
export { Intake, type IntakeOptions } from './webhook/intake.ts'
export { callEvents, type WebhookOptions } from './webhook/plugin.ts'
export { createWhatsappService, type WhatsappService, type WhatsappServiceOptions } from './whatsapp.ts'
