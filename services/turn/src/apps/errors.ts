/** What was asked of the apps cannot be done; the message says why. Codes: docs/ERRORS.md. */
export class AppError extends Error {
  readonly code: AppErrorCode

  constructor(code: AppErrorCode, message: string) {
    super(message)
    this.name = 'AppError'
    this.code = code
  }
}

export type AppErrorCode =
  | 'APP_EXISTS'
  | 'APP_ID_INVALID'
  | 'APP_KEY_UNKNOWN'
  | 'APP_SECRET_LAST'
  | 'APP_SECRET_UNKNOWN'
  | 'APP_SETTINGS_INVALID'
  | 'APP_UNKNOWN'
