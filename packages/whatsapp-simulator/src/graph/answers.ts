/** Meta's answer to a request: HTTP status and JSON. */
export type Answer = readonly [status: number, body: unknown]

/** HTTP statuses of the error codes that have another one than 400 (documented). */
const statusOf = new Map([
  [138000, 401],
  [138002, 429],
  [138004, 500],
  [138005, 429],
  [138006, 401],
  [138007, 500],
  [190, 401],
  [613, 429],
])

export const done: Answer = [200, { messaging_product: 'whatsapp', success: true }]

export function refuse(code: number, message: string, details = ''): Answer {
  const error = { message, type: 'OAuthException', code, fbtrace_id: 'Abc', error_data: { details } }
  return [statusOf.get(code) ?? 400, { error }]
}

export function codeOf([, body]: Answer): number | undefined {
  return (body as { error?: { code?: number } } | undefined)?.error?.code
}
