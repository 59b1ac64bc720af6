/** WhatsApp calls in the browser: Meta's Calling API on one side, agents on the other. */
export { type CallReason, reasonTexts } from './core/reasons.ts'
export { type CallUpdate, readUpdates } from './core/updates.ts'
export { type CallPermission, GraphClient, type GraphOptions } from './graph/client.ts'
export type { GraphFailure, GraphResult } from './graph/request.ts'
export { Intake, type IntakeOptions } from './webhook/intake.ts'
export { callEvents, type WebhookOptions } from './webhook/plugin.ts'
