/**
 * The signaling messages: one file each under `messages/` with schema, type and direction (`Client…` is sent by
 * clients, `Server…` by the server). Browsers take the types with `import type` and plain values from
 * `@hairpin/protocol/constants` and `@hairpin/protocol/errors`.
 */

export { type ClientMessage, type ClientType, clientSchemas } from './client.ts'
export * from './constants.ts'
export * from './errors.ts'
export { EndReason } from './fields.ts'
export * from './messages/ack.ts'
export * from './messages/answered-elsewhere.ts'
export * from './messages/bye.ts'
export * from './messages/call-ended.ts'
export * from './messages/call-reject.ts'
export * from './messages/error.ts'
export * from './messages/hang-up.ts'
export * from './messages/hold.ts'
export * from './messages/ice-servers.ts'
export * from './messages/id.ts'
export * from './messages/message.ts'
export * from './messages/mute.ts'
export * from './messages/new-ice-candidate.ts'
export * from './messages/rejectusername.ts'
export * from './messages/resume.ts'
export * from './messages/resumed.ts'
export * from './messages/ringing.ts'
export * from './messages/session.ts'
export * from './messages/token.ts'
export * from './messages/userlist.ts'
export * from './messages/username.ts'
export * from './messages/video-answer.ts'
export * from './messages/video-offer.ts'
export { type ServerBody, type ServerMessage, type ServerType, serverSchemas } from './server.ts'
