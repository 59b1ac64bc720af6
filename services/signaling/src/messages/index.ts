import { type ClientType, clientSchemas } from '@hairpin/protocol'
import { Compile } from 'typebox/compile'
import type { Incoming } from '../core/frame.ts'
import type { Hub } from '../core/hub.ts'
import type { Member, Session } from '../core/session.ts'
import { ack } from './ack.ts'
import { agent } from './agent.ts'
import { callReject } from './call-reject.ts'
import { customCost, passOn } from './custom.ts'
import { forDesk } from './for-desk.ts'
import type { Handler } from './handler.ts'
import { hangUp } from './hang-up.ts'
import { hold } from './hold.ts'
import { iceServers } from './ice-servers.ts'
import { message } from './message.ts'
import { mute } from './mute.ts'
import { newIceCandidate } from './new-ice-candidate.ts'
import { pushKeys } from './push-keys.ts'
import { pushRegister } from './push-register.ts'
import { pushUnregister } from './push-unregister.ts'
import { resume } from './resume.ts'
import { roomJoin } from './room-join.ts'
import { roomLeave } from './room-leave.ts'
import { roomSignal } from './room-signal.ts'
import { token } from './token.ts'
import { username } from './username.ts'
import { videoAnswer } from './video-answer.ts'
import { videoOffer } from './video-offer.ts'

const handlers: { readonly [T in ClientType]: Handler<T> | Handler<T, Session> } = {
  username,
  message,
  'video-offer': videoOffer,
  'video-answer': videoAnswer,
  'new-ice-candidate': newIceCandidate,
  'hang-up': hangUp,
  'call-reject': callReject,
  'ice-servers': iceServers,
  mute,
  hold,
  'push-keys': pushKeys,
  'push-register': pushRegister,
  'push-unregister': pushUnregister,
  'room-join': roomJoin,
  'room-leave': roomLeave,
  'room-signal': roomSignal,
  agent,
  'browser-offer': forDesk('browser-offer', 2),
  'browser-answer': forDesk('browser-answer', 2),
  'call-decline': forDesk('call-decline', 1),
  'call-over': forDesk('call-over', 1),
  'call-hold': forDesk('call-hold', 1),
  'call-transfer': forDesk('call-transfer', 5),
  'call-keep': forDesk('call-keep', 1),
  'call-dial': forDesk('call-dial', 10),
  'call-permission': forDesk('call-permission', 10),
  token,
  resume,
  ack,
}

interface Validator {
  Check(value: unknown): boolean
  Errors(value: unknown): readonly { readonly instancePath: string; readonly message: string }[]
}

const validators = Object.fromEntries(
  Object.entries(clientSchemas).map(([type, schema]) => [type, Compile(schema)]),
) as unknown as { readonly [T in ClientType]: Validator }

/** Checks a message's moment, price and shape, and hands it to its handler. */
export function dispatch(hub: Hub, session: Session, incoming: Incoming, now: number): void {
  const type = Object.hasOwn(handlers, incoming.type) ? (incoming.type as ClientType) : undefined
  const cost = type === undefined ? customCost : handlers[type].cost
  if (session.user === undefined && type !== 'username' && type !== 'resume')
    hub.fault(session, 'SIG_NOT_JOINED', now, type)
  else if (!session.takeType(type ?? 'other', now) || !session.messages.take(cost - 1, now))
    hub.fault(session, 'SIG_RATE_LIMITED', now, type)
  else if (type === undefined) passOn(hub, session as Member, incoming, now)
  else if (!validators[type].Check(incoming))
    hub.fault(session, 'SIG_BAD_MESSAGE', now, type, whatIsWrong(type, incoming))
  else (handlers[type] as Handler<ClientType>).handle(hub, session as Member, incoming as never, now)
}

function whatIsWrong(type: ClientType, incoming: Incoming): string | undefined {
  const [first] = validators[type].Errors(incoming)
  return first && `${first.instancePath || type} ${first.message}`
}
