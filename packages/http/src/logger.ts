import { type Logger, pino } from 'pino'

export type { Logger }

/** Structured logs on standard output. Authorization headers and secrets never get into them. */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['req.headers.authorization', 'headers.authorization', 'secret', 'credential', 'password', 'key'],
  })
}
