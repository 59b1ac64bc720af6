/** The part of Meta's Graph API that calls need. Every method gives a result; none throws for what the other side does. */
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { type GraphFailure, type GraphResult, graphRequest } from './request.ts'
import { type CallSettings, CallSettingsReply } from './settings.ts'

export interface GraphOptions {
  /** Base URL with the version: `https://graph.facebook.com/v23.0`. Calls need v17 or later. */
  readonly url: string
  readonly phoneNumberId: string
  /** Asked at each request, so that it can be renewed. */
  readonly accessToken: () => string
  /** ms that one attempt may take; the caller hears ringing meanwhile. */
  readonly timeout?: number
  /** ms before the second attempt of a request that is safe to repeat. */
  readonly retryDelay?: number
}

const Done = Type.Object({ success: Type.Literal(true) })
const Connected = Type.Object({
  calls: Type.Array(Type.Object({ id: Type.String({ minLength: 1 }) }), { minItems: 1 }),
})
const Sent = Type.Object({ messages: Type.Array(Type.Object({ id: Type.String() }), { minItems: 1 }) })
const Permission = Type.Object({
  permission: Type.Object({
    status: Type.Union([Type.Literal('no_permission'), Type.Literal('temporary'), Type.Literal('permanent')]),
    expiration_time: Type.Optional(Type.Integer()),
  }),
  actions: Type.Optional(
    Type.Array(
      Type.Object({
        action_name: Type.String(),
        can_perform_action: Type.Boolean(),
        limits: Type.Optional(
          Type.Array(
            Type.Object({
              time_period: Type.String(),
              max_allowed: Type.Integer(),
              current_usage: Type.Integer(),
              limit_expiration_time: Type.Optional(Type.Integer()),
            }),
          ),
        ),
      }),
    ),
  ),
})

export interface CallPermission {
  readonly status: 'no_permission' | 'temporary' | 'permanent'
  /** ms since 1970, of a temporary one. */
  readonly expiresAt: number | undefined
  /** What may be done now, whatever the status says. */
  readonly mayCall: boolean
  readonly mayAsk: boolean
  /** ms since 1970 when a used-up limit ends, if calling is only held up by one. */
  readonly mayCallAt: number | undefined
  /** The same of asking. */
  readonly mayAskAt: number | undefined
}

/** May an attempt be repeated? `always`: repeating changes nothing. `unsent`: only when the first surely did not arrive. */
type Repeat = 'always' | 'unsent'

export class GraphClient {
  readonly #options: Required<GraphOptions>
  readonly #ending = new AbortController()

  constructor(options: GraphOptions) {
    this.#options = { timeout: 5000, retryDelay: 250, ...options }
  }

  /** Ends what is under way; later requests fail at once. */
  close(): void {
    this.#ending.abort(new Error('the service is ending'))
  }

  /** Lets the media connect while it still rings at the agents. @param sdp the answer that `accept` repeats */
  preAccept(callId: string, sdp: string): Promise<GraphResult<void>> {
    return this.#call({ call_id: callId, action: 'pre_accept', session: { sdp_type: 'answer', sdp } }, 'unsent')
  }

  /** @param opaque text of at most 512 characters that comes back in the `terminate` webhook */
  accept(callId: string, sdp: string, opaque?: string): Promise<GraphResult<void>> {
    const session = { sdp_type: 'answer', sdp }
    return this.#call({ call_id: callId, action: 'accept', session, ...opaqueData(opaque) }, 'unsent')
  }

  reject(callId: string): Promise<GraphResult<void>> {
    return this.#call({ call_id: callId, action: 'reject' }, 'always')
  }

  terminate(callId: string): Promise<GraphResult<void>> {
    return this.#call({ call_id: callId, action: 'terminate' }, 'always')
  }

  /** Calls a customer. @param to digits @returns the call's id */
  async connect(to: string, sdp: string, opaque?: string): Promise<GraphResult<string>> {
    const body = { to, action: 'connect', session: { sdp_type: 'offer', sdp }, ...opaqueData(opaque) }
    const result = await this.#post('calls', body, 'unsent', Connected)
    return result.ok ? { ok: true, value: result.value.calls[0]!.id } : result
  }

  /** Sends the customer a message that asks for permission to call. @returns the message's id */
  async requestPermission(to: string, text: string): Promise<GraphResult<string>> {
    const interactive = {
      type: 'call_permission_request',
      action: { name: 'call_permission_request' },
      body: { text },
    }
    const body = { recipient_type: 'individual', to, type: 'interactive', interactive }
    const result = await this.#post('messages', body, 'unsent', Sent)
    return result.ok ? { ok: true, value: result.value.messages[0]!.id } : result
  }

  async permission(user: string): Promise<GraphResult<CallPermission>> {
    const result = await this.#get(`call_permissions?user_wa_id=${encodeURIComponent(user)}`, Permission)
    return result.ok ? { ok: true, value: permissionOf(result.value) } : result
  }

  async settings(): Promise<GraphResult<CallSettings>> {
    const result = await this.#get('settings', CallSettingsReply)
    return result.ok ? { ok: true, value: result.value.calling } : result
  }

  /** What is not named stays as it is. */
  async changeSettings(calling: Partial<CallSettings>): Promise<GraphResult<void>> {
    return nothing(await this.#request('POST', 'settings', { calling }, 'always', Done))
  }

  async #call(body: Record<string, unknown>, repeat: Repeat): Promise<GraphResult<void>> {
    return nothing(await this.#post('calls', body, repeat, Done))
  }

  #post<T extends TSchema>(path: string, body: object, repeat: Repeat, form: T): Promise<GraphResult<Static<T>>> {
    return this.#request('POST', path, { messaging_product: 'whatsapp', ...body }, repeat, form)
  }

  #get<T extends TSchema>(path: string, form: T): Promise<GraphResult<Static<T>>> {
    return this.#request('GET', path, undefined, 'always', form)
  }

  async #request<T extends TSchema>(
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    repeat: Repeat,
    form: T,
  ): Promise<GraphResult<Static<T>>> {
    const { url, phoneNumberId, accessToken, timeout } = this.#options
    const attempt = () =>
      graphRequest({
        method,
        url: `${url}/${phoneNumberId}/${path}`,
        token: accessToken(),
        ...(body === undefined ? {} : { body }),
        timeout,
        signal: this.#ending.signal,
      })
    let result = await attempt()
    if (!result.ok && mayRepeat(result, repeat) && (await this.#pause())) result = await attempt()
    if (!result.ok) return result
    return Value.Check(form, result.value) ? { ok: true, value: result.value } : unexpected()
  }

  /** False when the client ended meanwhile. */
  #pause(): Promise<boolean> {
    const { signal } = this.#ending
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve(!signal.aborted)
      }
      const timer = setTimeout(done, this.#options.retryDelay)
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
    })
  }
}

/** No answer, or one that blames the server. What Meta refuses, it refuses again. */
function mayRepeat({ status, uncertain }: GraphFailure, repeat: Repeat): boolean {
  if (status === undefined) return repeat === 'always' || !uncertain
  return repeat === 'always' && status >= 500
}

function opaqueData(opaque: string | undefined) {
  return opaque === undefined ? {} : { biz_opaque_callback_data: opaque }
}

function nothing(result: GraphResult<unknown>): GraphResult<void> {
  return result.ok ? { ok: true, value: undefined } : result
}

function unexpected(): GraphFailure {
  const message = 'the answer has another form than documented'
  return { ok: false, reason: 'unknown', code: undefined, status: 200, message, trace: undefined, uncertain: true }
}

function permissionOf({ permission, actions = [] }: Static<typeof Permission>): CallPermission {
  const may = (name: string) => actions.some((action) => action.action_name === name && action.can_perform_action)
  const again = (name: string) => {
    const limits = actions.find(({ action_name }) => action_name === name)?.limits ?? []
    const until = limits.flatMap(({ current_usage, max_allowed, limit_expiration_time }) =>
      current_usage >= max_allowed && limit_expiration_time !== undefined ? [limit_expiration_time * 1000] : [],
    )
    return until.length > 0 ? Math.max(...until) : undefined
  }
  return {
    status: permission.status,
    expiresAt: permission.expiration_time === undefined ? undefined : permission.expiration_time * 1000,
    mayCall: may('start_call'),
    mayAsk: may('send_call_permission_request'),
    mayCallAt: again('start_call'),
    mayAskAt: again('send_call_permission_request'),
  }
}
