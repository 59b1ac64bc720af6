export type TokenErrorCode = 'SIG_TOKEN_INVALID' | 'SIG_TOKEN_EXPIRED' | 'SIG_TOKEN_KEYS_UNAVAILABLE'

/** Why a token counts for nothing. The message is for the developer of the app; it holds nothing of the token. */
export class TokenError extends Error {
  readonly code: TokenErrorCode

  constructor(code: TokenErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TokenError'
    this.code = code
  }
}
