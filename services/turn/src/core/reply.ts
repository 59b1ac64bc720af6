/** Building responses: RFC 8489 sections 6.3.1 and 9.2.4. */
import { Attribute, Class, encodeErrorCode, encodeText, MessageWriter, methodName } from '@hairpin/stun'
import { challengeFor } from './challenge.ts'
import { mayAnswer } from './may-answer.ts'
import { REJECTIONS, type Rejection, type RejectionInfo } from './rejections.ts'
import type { ServerState } from './state.ts'
import type { Endpoint, Listener } from './types.ts'

/** What a response needs of its request; outlives the request's bytes while a relay socket opens. */
export interface ReplyTo {
  readonly method: number
  readonly transactionId: Uint8Array
  readonly listener: Listener
  readonly from: Endpoint
  /** The request had a FINGERPRINT: so has the response. */
  readonly fingerprint: boolean
  /** Set once the request is authenticated: from then on responses carry MESSAGE-INTEGRITY. */
  readonly key?: Uint8Array | undefined
  /** Sign with MESSAGE-INTEGRITY-SHA256, because the request chose a PASSWORD-ALGORITHM. */
  readonly sha256?: boolean | undefined
  /** Bytes of the request. */
  readonly size?: number | undefined
}

export type AttributePair = readonly [type: number, value: Uint8Array]

export function succeed(state: ServerState, to: ReplyTo, attributes: readonly AttributePair[]): void {
  send(state, to, Class.Success, attributes)
  count(state, to, 200)
}

/** @param extra attributes beside ERROR-CODE, such as UNKNOWN-ATTRIBUTES. */
export function reject(
  state: ServerState,
  to: ReplyTo,
  rejection: Rejection,
  now: number,
  extra: readonly AttributePair[] = [],
): void {
  const info: RejectionInfo = REJECTIONS[rejection]
  if (info.authFailure) state.options.events?.authFailed?.(info.authFailure, to.listener.transport)
  if (!to.key && !mayAnswer(state, to.listener, to.from, 'challenge', now)) {
    state.ignore('rate-limited')
    return
  }
  const attributes: AttributePair[] = [[Attribute.ErrorCode, encodeErrorCode(info.code, to.key ? info.phrase : '')]]
  if (info.challenge) attributes.push(...challengeFor(state, to, now))
  send(state, to, Class.Error, [...attributes, ...extra])
  count(state, to, info.code)
}

function send(state: ServerState, to: ReplyTo, cls: Class, attributes: readonly AttributePair[]): void {
  const writer = new MessageWriter(to.method, cls, to.transactionId)
  for (const [type, value] of attributes) writer.attribute(type, value)
  if (to.key) {
    if (state.options.software) writer.attribute(Attribute.Software, encodeText(state.options.software))
    if (to.sha256) writer.integritySha256(to.key)
    else writer.integrity(to.key)
  }
  if (to.fingerprint) writer.fingerprint()
  state.emit({ type: 'send', listener: to.listener, to: to.from, bytes: writer.finish() })
}

function count(state: ServerState, to: ReplyTo, code: number): void {
  state.options.events?.requestHandled?.({
    method: methodName(to.method),
    transport: to.listener.transport,
    code,
  })
}
