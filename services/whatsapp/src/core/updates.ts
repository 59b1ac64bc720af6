/**
 * What Meta's webhook says about calls (WhatsApp Business Calling API, webhook field `calls`), read without trust: a part
 * that is not understood is counted and passed over, for one POST may carry up to 1000 updates.
 */
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { Numbers } from './numbers.ts'

export interface ConnectUpdate {
  readonly kind: 'connect'
  readonly id: string
  /** ms since 1970, as in every update. */
  readonly at: number
  readonly direction: 'user' | 'business'
  /** The WhatsApp user: digits, and the name of the profile; either may be missing. */
  readonly number: string | undefined
  readonly name: string | undefined
  readonly sdpType: 'offer' | 'answer'
  readonly sdp: string
}

export interface TerminateUpdate {
  readonly kind: 'terminate'
  readonly id: string
  readonly at: number
  readonly completed: boolean
  /** Seconds; only of answered calls. */
  readonly duration: number | undefined
  /** Meta's error code, of failed calls. */
  readonly code: number | undefined
}

export interface StatusUpdate {
  readonly kind: 'status'
  readonly id: string
  readonly at: number
  readonly status: 'RINGING' | 'ACCEPTED' | 'REJECTED'
}

export interface PermissionUpdate {
  readonly kind: 'permission'
  /** Of the message that is the reply. */
  readonly id: string
  readonly at: number
  /** The WhatsApp user, digits. */
  readonly number: string
  readonly granted: boolean
  readonly permanent: boolean
  /** ms since 1970; undefined when it is permanent or refused. */
  readonly expiresAt: number | undefined
  /** Meta grants one by itself when the user calls. */
  readonly automatic: boolean
}

export type CallUpdate = ConnectUpdate | TerminateUpdate | StatusUpdate | PermissionUpdate

/** A reply to a permission request whose customer has an id, and no number that is known. */
export interface NamelessReply {
  readonly kind: 'nameless-reply'
  readonly id: string
  readonly at: number
  readonly userId: string | undefined
  readonly granted: boolean
}

export interface ReadUpdates {
  readonly updates: readonly (CallUpdate | NamelessReply)[]
  /** Parts of another number or of a form that is not known. */
  readonly passedOver: number
}

/** Longer ones are nobody's call id and SDP: they would only fill the memory. */
const Id = Type.String({ minLength: 1, maxLength: 256 })
const Sdp = Type.String({ maxLength: 16_384 })
/** Stands for a customer with a username. */
const UserId = Type.String({ minLength: 1, maxLength: 128 })
const Timestamp = Type.Union([Type.String({ pattern: '^\\d{1,12}$' }), Type.Integer({ minimum: 0, maximum: 1e12 })])

const Change = Type.Object({
  value: Type.Object({
    metadata: Type.Object({ phone_number_id: Type.String() }),
    contacts: Type.Optional(Type.Array(Type.Unknown())),
    calls: Type.Optional(Type.Array(Type.Unknown())),
    statuses: Type.Optional(Type.Array(Type.Unknown())),
    messages: Type.Optional(Type.Array(Type.Unknown())),
    errors: Type.Optional(Type.Array(Type.Unknown())),
  }),
})
const Contact = Type.Object({
  wa_id: Type.Optional(Type.String({ maxLength: 32 })),
  user_id: Type.Optional(UserId),
  profile: Type.Optional(Type.Object({ name: Type.Optional(Type.String()) })),
})
const Connect = Type.Object({
  id: Id,
  event: Type.Literal('connect'),
  timestamp: Timestamp,
  direction: Type.Union([Type.Literal('USER_INITIATED'), Type.Literal('BUSINESS_INITIATED')]),
  from: Type.Optional(Type.String({ maxLength: 32 })),
  to: Type.Optional(Type.String({ maxLength: 32 })),
  from_user_id: Type.Optional(UserId),
  to_user_id: Type.Optional(UserId),
  session: Type.Optional(
    Type.Object({ sdp_type: Type.Union([Type.Literal('offer'), Type.Literal('answer')]), sdp: Sdp }),
  ),
  connection: Type.Optional(Type.Object({ webrtc: Type.Object({ sdp: Sdp }) })),
})
const Terminate = Type.Object({
  id: Id,
  event: Type.Literal('terminate'),
  timestamp: Timestamp,
  status: Type.Optional(Type.String()),
  duration: Type.Optional(Type.Number({ minimum: 0 })),
  /** Some have them here, others beside `calls`. */
  errors: Type.Optional(Type.Array(Type.Unknown())),
})
const Status = Type.Object({
  id: Id,
  type: Type.Literal('call'),
  timestamp: Timestamp,
  status: Type.Union([Type.Literal('RINGING'), Type.Literal('ACCEPTED'), Type.Literal('REJECTED')]),
})
const PermissionReply = Type.Object({
  id: Id,
  from: Type.Optional(Type.String({ maxLength: 32 })),
  from_user_id: Type.Optional(UserId),
  timestamp: Timestamp,
  interactive: Type.Object({
    type: Type.Literal('call_permission_reply'),
    call_permission_reply: Type.Object({
      response: Type.Union([Type.Literal('accept'), Type.Literal('reject')]),
      is_permanent: Type.Optional(Type.Boolean()),
      expiration_timestamp: Type.Optional(Timestamp),
      response_source: Type.Optional(Type.String()),
    }),
  }),
})
const MetaError = Type.Object({ code: Type.Integer() })

/**
 * @param body the parsed JSON of a webhook POST, of whatever form
 * @param phoneNumberId updates of the account's other numbers are passed over
 * @param numbers what earlier webhooks told of customers with usernames; this one adds to it
 */
export function readUpdates(body: unknown, phoneNumberId: string, numbers = new Numbers()): ReadUpdates {
  const updates: (CallUpdate | NamelessReply)[] = []
  let passedOver = 0
  for (const entry of listOf(body, 'entry'))
    for (const change of listOf(entry, 'changes')) {
      const value = as(Change, change)?.value
      if (value?.metadata.phone_number_id !== phoneNumberId) {
        passedOver++
        continue
      }
      const contacts = (value.contacts ?? []).flatMap((contact) => as(Contact, contact) ?? [])
      for (const { user_id, wa_id } of contacts) numbers.learn(user_id, wa_id)
      const code = codeOf(value.errors)
      const read = [
        ...(value.calls ?? []).map((call) => connectOf(call, contacts, numbers) ?? terminateOf(call, code)),
        ...(value.statuses ?? []).map(statusOf),
        ...(value.messages ?? []).map((message) => permissionOf(message, contacts, numbers)),
      ]
      for (const update of read) {
        if (update) updates.push(update)
        else passedOver++
      }
    }
  return { updates, passedOver }
}

type Contacts = readonly Static<typeof Contact>[]

function connectOf(call: unknown, contacts: Contacts, numbers: Numbers): ConnectUpdate | undefined {
  const read = as(Connect, call)
  if (!read) return undefined
  const direction = read.direction === 'USER_INITIATED' ? 'user' : 'business'
  const session = read.session ?? (read.connection && { sdp_type: 'answer' as const, sdp: read.connection.webrtc.sdp })
  if (!session || session.sdp_type !== (direction === 'user' ? 'offer' : 'answer')) return undefined
  // One of Meta's samples swaps `from` and `to`: the contact, when there is one, is surely the user.
  const [own, userId] = direction === 'user' ? [read.from, read.from_user_id] : [read.to, read.to_user_id]
  const contact = contacts.find(({ wa_id }) => wa_id !== undefined && wa_id === own) ?? contacts[0]
  return {
    kind: 'connect',
    id: read.id,
    at: milliseconds(read.timestamp),
    direction,
    number: contact?.wa_id ?? own ?? numbers.of(userId ?? contact?.user_id),
    name: contact?.profile?.name?.slice(0, 128),
    sdpType: session.sdp_type,
    sdp: session.sdp,
  }
}

function terminateOf(call: unknown, code: number | undefined): TerminateUpdate | undefined {
  const read = as(Terminate, call)
  if (!read) return undefined
  const completed = read.status?.toUpperCase() === 'COMPLETED'
  return {
    kind: 'terminate',
    id: read.id,
    at: milliseconds(read.timestamp),
    completed,
    duration: read.duration,
    code: completed ? undefined : (codeOf(read.errors) ?? code),
  }
}

function codeOf(errors: readonly unknown[] = []): number | undefined {
  return errors.flatMap((error) => as(MetaError, error)?.code ?? [])[0]
}

function statusOf(status: unknown): StatusUpdate | undefined {
  const read = as(Status, status)
  return read && { kind: 'status', id: read.id, at: milliseconds(read.timestamp), status: read.status }
}

function permissionOf(
  message: unknown,
  contacts: Contacts,
  numbers: Numbers,
): PermissionUpdate | NamelessReply | undefined {
  const read = as(PermissionReply, message)
  if (!read) return undefined
  const reply = read.interactive.call_permission_reply
  const until = reply.expiration_timestamp
  const news = { id: read.id, at: milliseconds(read.timestamp), granted: reply.response === 'accept' }
  const userId = read.from_user_id ?? soleContact(contacts)?.user_id
  numbers.learn(userId, read.from)
  const number = read.from ?? numbers.of(userId) ?? numberBeside(userId, contacts)
  if (number === undefined) return { kind: 'nameless-reply', ...news, userId }
  return {
    kind: 'permission',
    ...news,
    number,
    permanent: reply.is_permanent ?? false,
    expiresAt: until === undefined ? undefined : milliseconds(until),
    automatic: reply.response_source === 'automatic',
  }
}

function soleContact(contacts: Contacts) {
  return contacts.length === 1 ? contacts[0] : undefined
}

/** A contact with a number and no id, when it is the only one: whose else would it be? */
function numberBeside(userId: string | undefined, contacts: Contacts): string | undefined {
  const contact = soleContact(contacts)
  return contact?.user_id === undefined || contact.user_id === userId ? contact?.wa_id : undefined
}

function as<T extends TSchema>(schema: T, value: unknown): Static<T> | undefined {
  return Value.Check(schema, value) ? value : undefined
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  return Array.isArray(list) ? list : []
}

function milliseconds(timestamp: string | number): number {
  return Number(timestamp) * 1000
}
