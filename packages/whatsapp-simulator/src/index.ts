/**
 * Stands in for Meta and for the customers' phones.
 *
 * - `Simulator`: the Graph API of one business number (`listen()` gives the client's base URL) and the webhooks it signs and
 *   hands to `deliver`. `userCalls`, `phoneConnects`, `status`, `ends` are what customers do; `failNext` scripts failures;
 *   `permissions` holds who may be called.
 * - `Phone`: the media of a customer (ICE-lite), or with `lite: false` of an agent's browser.
 * - `brokenRules`: what Meta would refuse in a business's SDP.
 */
export { type SimulatedCall, Simulator, type SimulatorOptions } from './graph.ts'
export { Permissions } from './permissions.ts'
export { Phone, type PhoneOptions, until } from './phone.ts'
export { brokenRules } from './sdp-rules.ts'
export { signedDelivery } from './webhooks.ts'
