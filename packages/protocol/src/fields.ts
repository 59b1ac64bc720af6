import { type Static, Type } from 'typebox'
import { limits } from './constants.ts'

/** Fields that several messages share. */

/** A user's name as the server accepted it; the rules are in docs/PROTOCOL.md. */
export const Name = Type.String({ minLength: 1, maxLength: limits.nameBytes })

/** A user's name as a client writes it. */
export const Target = Type.String({ minLength: 1, maxLength: limits.nameBytes })

/** The tutorial's client has no target at times and says null. */
export const MaybeTarget = Type.Union([Type.Null(), Type.String({ maxLength: limits.nameBytes })])

/** Counts the server's messages of one session, from 1, without gaps. */
export const Seq = Type.Integer({ minimum: 1 })

/** Proves that a socket may go on with a session: unguessable, for one resume. */
export const ResumeToken = Type.String({ minLength: 1, maxLength: 128 })

/** A JSON Web Token by which the app's own server says who the client is. */
export const SignalingToken = Type.String({ minLength: 1, maxLength: 8192 })

/** Names one call in every message about it: an opaque string chosen by the server. */
export const CallId = Type.String()

/** Opaque to the server: handed on as it came. */
export const Sdp = Type.String({ maxLength: limits.messageBytes })

export const SessionOffer = Type.Object({ type: Type.Literal('offer'), sdp: Sdp })

export const SessionAnswer = Type.Object({
  type: Type.Literal('answer'),
  sdp: Sdp,
})

export const SessionDescription = Type.Union([SessionOffer, SessionAnswer])

/** A room within an app, or among the guests. */
export const RoomName = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' })

/** One stay of one client in a room: chosen by the server, another one at each entry. */
export const MemberId = Type.String({ minLength: 1, maxLength: 64 })

export const RoomMember = Type.Object({ id: MemberId, name: Name })

/** What a side does not send at present. True: muted. */
export const MuteState = Type.Object({ audio: Type.Boolean(), video: Type.Boolean() })

/** Where a push goes: the URL of a Web Push subscription, or the token of a device. */
export const PushAddress = Type.String({ minLength: 1, maxLength: 4096 })

/** `PushSubscription.toJSON()` in a flat form, a registration token of FCM, or a VoIP device token of APNs. */
export const PushEndpoint = Type.Union([
  Type.Object({
    kind: Type.Literal('web'),
    address: PushAddress,
    p256dh: Type.String({ pattern: '^[A-Za-z0-9_-]{86,88}=?$' }),
    auth: Type.String({ pattern: '^[A-Za-z0-9_-]{22}(==)?$' }),
  }),
  Type.Object({ kind: Type.Literal('fcm'), address: Type.String({ pattern: '^[\\w:.-]{1,4096}$' }) }),
  Type.Object({ kind: Type.Literal('apns'), address: Type.String({ pattern: '^[0-9A-Fa-f]{32,200}$' }) }),
])
export type PushEndpoint = Static<typeof PushEndpoint>

/** What kind of call it is, as the caller's client calls it (`audio`, `video`, …); the server hands it on unread. */
export const Media = Type.String({ maxLength: 32 })

/** `RTCIceCandidate.toJSON()`; null says there are no more. */
export const Candidate = Type.Union([
  Type.Null(),
  Type.Object({
    candidate: Type.String({ maxLength: 4096 }),
    sdpMid: Type.Optional(Type.Union([Type.Null(), Type.String({ maxLength: 256 })])),
    sdpMLineIndex: Type.Optional(Type.Union([Type.Null(), Type.Integer({ minimum: 0, maximum: 65535 })])),
    usernameFragment: Type.Optional(Type.Union([Type.Null(), Type.String({ maxLength: 256 })])),
  }),
])

/** Why a call ended, the same word for both sides. */
export const EndReason = Type.Union([
  /** One side hung up a connected call. */
  Type.Literal('hang-up'),
  /** The caller hung up before an answer. */
  Type.Literal('cancelled'),
  /** The callee declined. */
  Type.Literal('rejected'),
  /** The callee is in another call and was not disturbed. */
  Type.Literal('busy'),
  /** Nobody of that name is here. */
  Type.Literal('offline'),
  /** The callee neither accepted nor declined in time. */
  Type.Literal('no-answer'),
  /** The other side's signaling connection is gone. */
  Type.Literal('disconnected'),
])
export type EndReason = Static<typeof EndReason>

/** Why an agent's call with a customer ended. */
export const AgentEndReason = Type.Union([
  /** Before or after the call was answered. */
  Type.Literal('customer-hung-up'),
  /** The customer declined a call of the business. */
  Type.Literal('rejected'),
  Type.Literal('agent-hung-up'),
  /** All agents who are here declined. */
  Type.Literal('declined'),
  /** Nobody took it in time. */
  Type.Literal('no-answer'),
  /** Its agent was gone for too long. */
  Type.Literal('agent-lost'),
  /** Nothing was heard of the customer's phone for too long. */
  Type.Literal('no-media'),
  /** The service has as many calls as it takes. */
  Type.Literal('busy'),
  /** The service was stopped. */
  Type.Literal('stopped'),
  /** `cause` says why. */
  Type.Literal('failed'),
])
export type AgentEndReason = Static<typeof AgentEndReason>
