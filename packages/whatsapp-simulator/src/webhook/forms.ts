import type { SimulatedCall } from '../call.ts'
import type { WebhookForms } from '../rules.ts'
import type { Change } from './outbox.ts'

export interface Business {
  readonly phoneNumberId: string
  /** Digits. */
  readonly number: string
}

type Fields = Record<string, unknown>

/** The bodies of webhooks, in the documented forms and those that were seen. */
export class Forms {
  readonly #business: Business
  readonly #forms: WebhookForms

  constructor(business: Business, forms: WebhookForms) {
    this.#business = business
    this.#forms = forms
  }

  connect(call: SimulatedCall, at: number, sdp: string): Change {
    const type = call.direction === 'USER_INITIATED' ? 'offer' : 'answer'
    const { sdpAt } = this.#forms
    // The older place knows answers alone.
    const place = type === 'offer' ? 'session' : sdpAt
    return this.#calls(call, {
      ...this.#header(call, at),
      event: 'connect',
      ...(place === 'connection' ? {} : { session: { sdp_type: type, sdp } }),
      ...(place === 'session' ? {} : { connection: { webrtc: { sdp } } }),
    })
  }

  terminate(call: SimulatedCall, at: number): Change {
    const { answeredAt, endCode } = call
    const seconds = (ms: number) => Math.floor(ms / 1000)
    const times = answeredAt !== undefined && {
      start_time: String(seconds(answeredAt)),
      end_time: String(seconds(at)),
      duration: Math.round((at - answeredAt) / 1000),
    }
    const details = { details: 'The call was ended by the network.' }
    const href = 'https://developers.facebook.com/docs/whatsapp/cloud-api/calling/troubleshooting'
    const errors = endCode !== undefined && {
      errors: [{ code: endCode, message: 'failed', href, error_data: details }],
    }
    const { errorsAt, completed } = this.#forms
    const status = endCode === undefined ? completed : 'FAILED'
    const body = { ...this.#header(call, at), event: 'terminate', status, ...times, ...(errorsAt === 'call' && errors) }
    return this.#calls(call, body, errorsAt === 'value' ? errors || {} : {})
  }

  status(call: SimulatedCall, at: number, status: 'RINGING' | 'ACCEPTED' | 'REJECTED'): Change {
    const recipient = this.#who('recipient_id', 'recipient_user_id', call.number)
    const opaque = opaqueOf(call)
    return this.#value('calls', {
      statuses: [{ id: call.id, timestamp: timestamp(at), type: 'call', status, ...recipient, ...opaque }],
    })
  }

  permissionReply(
    number: string,
    at: number,
    id: string,
    reply: {
      readonly granted: boolean
      readonly permanent: boolean
      readonly until: number
      readonly automatic: boolean
    },
  ): Change {
    const call_permission_reply = {
      response: reply.granted ? 'accept' : 'reject',
      is_permanent: reply.permanent,
      ...(reply.granted && !reply.permanent && { expiration_timestamp: timestamp(reply.until) }),
      response_source: reply.automatic ? 'automatic' : 'user_action',
    }
    const interactive = { type: 'call_permission_reply', call_permission_reply }
    const message = {
      ...this.#who('from', 'from_user_id', number),
      id,
      timestamp: timestamp(at),
      type: 'interactive',
      interactive,
    }
    return this.#value('messages', { ...this.#contacts(number, undefined), messages: [message] })
  }

  #calls(call: SimulatedCall, body: Fields, beside: Fields = {}): Change {
    return this.#value('calls', { ...this.#contacts(call.number, call.name), calls: [body], ...beside })
  }

  #value(field: Change['field'], value: Fields): Change {
    const { phoneNumberId, number } = this.#business
    const metadata = { display_phone_number: number, phone_number_id: phoneNumberId }
    return { field, value: { messaging_product: 'whatsapp', metadata, ...value } }
  }

  #contacts(number: string, name: string | undefined): Fields {
    if (!this.#forms.contacts) return {}
    return { contacts: [{ profile: name === undefined ? {} : { name }, ...this.#who('wa_id', 'user_id', number) }] }
  }

  #header(call: SimulatedCall, at: number): Fields {
    const user = this.#who('from', 'from_user_id', call.number)
    const called = this.#who('to', 'to_user_id', call.number)
    const business = this.#business.number
    const byUser = (call.direction === 'USER_INITIATED') !== this.#forms.swapped
    const ends = byUser ? { ...user, to: business } : { from: business, ...called }
    return { id: call.id, ...ends, direction: call.direction, timestamp: timestamp(at), ...opaqueOf(call) }
  }

  /** A customer, by number or by the id that stands for a username. */
  #who(phone: string, user: string, number: string): Fields {
    const { users } = this.#forms
    return { ...(users !== 'user-id' && { [phone]: number }), ...(users !== 'phone' && { [user]: userIdOf(number) }) }
  }
}

/** The id that stands for a customer whose number is not shown. */
export function userIdOf(number: string): string {
  return `DE.${number.split('').reverse().join('')}0`
}

function opaqueOf({ opaque }: SimulatedCall): Fields {
  return opaque === undefined ? {} : { biz_opaque_callback_data: opaque }
}

function timestamp(ms: number): string {
  return String(Math.floor(ms / 1000))
}
