/** The HTTP manners every service shares: error form, proxy trust, listening, logging, CSV, and the admin application. */
export { type AdminOptions, addHealth, createAdminApp } from './admin.ts'
export { type App, type AppOptions, createApp } from './app.ts'
export { csvField } from './csv.ts'
export { errorsAs, HttpError, type ToldError } from './errors.ts'
export { type ListenOptions, listen } from './listen.ts'
export { createLogger, type Logger } from './logger.ts'
export { runService } from './service.ts'
