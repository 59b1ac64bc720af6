/**
 * Signaling tokens: JSON Web Tokens by which an app's own server says who a client is and whom it may call. They open
 * the WebSocket and the credentials API alike.
 */
export type { Identity } from './claims.ts'
export { TokenError, type TokenErrorCode } from './errors.ts'
export { type KeySettings, type KeySource, TokenKeys } from './keys.ts'
export { type SigningRequest, signSignalingToken } from './sign.ts'
export { verifySignalingToken } from './verify.ts'
