/** WhatsApp calls in the browser: Meta's Calling API on one side, agents on the other. */
export { type CallUpdate, readUpdates } from './core/updates.ts'
export { Intake, type IntakeOptions } from './webhook/intake.ts'
export { callEvents, type WebhookOptions } from './webhook/plugin.ts'
