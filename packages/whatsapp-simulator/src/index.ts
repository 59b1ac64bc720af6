/**
 * Stands in for Meta and for the customers' phones.
 *
 * - `Simulator`: the Graph API of one business number (`listen()` gives the client's base URL) and the webhooks, which it
 *   signs and hands to `deliver`; `WebhookSender` posts them. What customers do: `userCalls`, `phoneConnects`, `status`,
 *   `ends`, `answersRequest`; who may be called: `permissions`. `watch(call, phone)` checks what the phone gets and ends
 *   the call when the business is silent. What the business did wrong is in `violations`.
 * - Trouble: `failNext` (any error, no answer, half of one), `latency`, and for webhooks `hold` and `release` (reordered,
 *   up to 1000 together, more than once).
 * - `rules`, `times` and `forms` (rules.ts): what the documents leave open, each reading a setting. `check()` does what is
 *   due where `now` is a test's.
 * - `Phone`: the media of a customer (ICE-lite), or with `lite: false` of an agent's browser.
 * - `Customers`: people with phones, who call, answer, play a melody, say back what they hear, press keys and hang up.
 * - `brokenRules`: what Meta would refuse in a business's SDP.
 */
export type { SimulatedCall, SimulatorEvent, Violation } from './call.ts'
export { type ControlOptions, controlPlugin, statusOf } from './customer/control.ts'
export { type Behaviour, Customers, type CustomersOptions, defaultBehaviour } from './customer/customers.ts'
export { digitPayloads, endedDigit, isDigits } from './customer/digits.ts'
export { melody } from './customer/melody.ts'
export { Voice, type VoiceOptions } from './customer/voice.ts'
export type { Fault } from './graph/faults.ts'
export { MediaWatch, type WatchedPacket } from './media/media-watch.ts'
export { Phone, type PhoneEvents, type PhoneOptions } from './media/phone.ts'
export type { SimulatorOptions } from './options.ts'
export { Permissions } from './permissions.ts'
export { defaultForms, defaultRules, defaultTimes, type Rules, type Times, type WebhookForms } from './rules.ts'
export { brokenRules } from './sdp-rules.ts'
export { Simulator } from './simulator.ts'
export { until } from './until.ts'
export { userIdOf } from './webhook/forms.ts'
export type { Release } from './webhook/outbox.ts'
export { type SenderOptions, WebhookSender } from './webhook/sender.ts'
export { signatureOf } from './webhook/signature.ts'
