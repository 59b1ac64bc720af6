/**
 * Why a call did not come about, in words an agent can act on. The codes are those of Meta's error table: in answers of
 * the Graph API, and 138019 to 138023 in the `terminate` webhook.
 */
export type CallReason =
  | 'bad-request'
  | 'permission-requests-limited'
  | 'no-payment-method'
  | 'number-uses-sip'
  | 'calling-off'
  | 'receiver-uncallable'
  | 'too-many-calls'
  | 'duplicate-call'
  | 'connection-error'
  | 'rate-limited'
  | 'no-permission'
  | 'connect-timeout'
  | 'daily-limit'
  | 'business-calls-unavailable'
  | 'low-quality'
  | 'permission-exists'
  | 'setup-failed'
  | 'relay-failed'
  | 'receive-timeout'
  | 'transmit-timeout'
  | 'no-media'
  | 'access-denied'
  | 'unreachable'
  | 'unknown'

const byCode: ReadonlyMap<number, CallReason> = new Map([
  [100, 'bad-request'],
  [613, 'permission-requests-limited'],
  [131044, 'no-payment-method'],
  [131055, 'number-uses-sip'],
  [138000, 'calling-off'],
  [138001, 'receiver-uncallable'],
  [138002, 'too-many-calls'],
  [138003, 'duplicate-call'],
  [138004, 'connection-error'],
  [138005, 'rate-limited'],
  [138006, 'no-permission'],
  [138007, 'connect-timeout'],
  [138009, 'permission-requests-limited'],
  [138012, 'daily-limit'],
  [138013, 'business-calls-unavailable'],
  [138014, 'low-quality'],
  [138017, 'permission-exists'],
  [138019, 'setup-failed'],
  [138020, 'relay-failed'],
  [138021, 'receive-timeout'],
  [138022, 'transmit-timeout'],
  [138023, 'no-media'],
])

/** What the agent is told. */
export const reasonTexts: Readonly<Record<CallReason, string>> = {
  'bad-request': 'WhatsApp refused the call as malformed. The operator finds the details in the log.',
  'permission-requests-limited':
    'This customer was asked for permission to call too often. One request a day and two a week are allowed.',
  'no-payment-method': 'The WhatsApp business account has no payment method. The operator can add one.',
  'number-uses-sip': 'The business number is set to SIP calls. The operator can turn SIP off in its settings.',
  'calling-off': 'Calls are off for the business number. The operator can turn them on.',
  'receiver-uncallable': 'This customer cannot be called now.',
  'too-many-calls': 'The business number has as many calls at once as WhatsApp allows. Try again in a while.',
  'duplicate-call': 'There is a call with this customer already.',
  'connection-error': 'WhatsApp could not connect the call. Try again.',
  'rate-limited': 'Too many calls in a short time. Try again in a while.',
  'no-permission': 'The customer has not allowed calls. Ask for permission first.',
  'connect-timeout': 'WhatsApp could not connect the call in time. Try again.',
  'daily-limit': 'This customer was called as often as WhatsApp allows in a day.',
  'business-calls-unavailable': 'Numbers of this country cannot call customers; customers can call them.',
  'low-quality': 'WhatsApp has suspended calls from this number because customers did not answer or rated them low.',
  'permission-exists': 'The customer allows calls permanently: there is no need to ask.',
  'setup-failed': 'The call could not be set up.',
  'relay-failed': 'The call was lost in the network of WhatsApp.',
  'receive-timeout': 'The call was lost: WhatsApp heard nothing from here for too long.',
  'transmit-timeout': 'The call was lost: nothing reached the customer for too long.',
  'no-media': 'The call was lost: no sound came through.',
  'access-denied': 'WhatsApp refused the access token. The operator has to renew it.',
  unreachable: 'WhatsApp could not be reached. Try again.',
  unknown: 'WhatsApp refused the call. The operator finds the details in the log.',
}

/**
 * @param code Meta's, of an error body or of a webhook; undefined when there was none
 * @param status of the HTTP answer that had it, if there was one
 */
export function reasonOf(code: number | undefined, status?: number): CallReason {
  const known = code === undefined ? undefined : byCode.get(code)
  if (known !== undefined) return known
  // 190: the access token is invalid or expired; 10 and 200 to 299: it lacks a permission (Graph API, error codes).
  if (code === 190 || code === 10 || (code !== undefined && code >= 200 && code <= 299)) return 'access-denied'
  // 4 and 80007: request limits of the app and of the business account.
  if (code === 4 || code === 80007 || status === 429) return 'rate-limited'
  if (status === 401 || status === 403) return 'access-denied'
  if (status !== undefined && status >= 500) return 'connection-error'
  return 'unknown'
}
