import type { Static } from 'typebox'
import { ServerAck } from './messages/ack.ts'
import { ServerAgent } from './messages/agent.ts'
import { ServerAnsweredElsewhere } from './messages/answered-elsewhere.ts'
import { ServerBrowserAnswer } from './messages/browser-answer.ts'
import { ServerBye } from './messages/bye.ts'
import { ServerCallEnded } from './messages/call-ended.ts'
import { ServerCallIsComing } from './messages/call-is-coming.ts'
import { ServerCallPermission } from './messages/call-permission.ts'
import { ServerCallState } from './messages/call-state.ts'
import { ServerCallTransferred } from './messages/call-transferred.ts'
import { ServerError } from './messages/error.ts'
import { ServerHangUp } from './messages/hang-up.ts'
import { ServerHold } from './messages/hold.ts'
import { ServerIceServers } from './messages/ice-servers.ts'
import { ServerId } from './messages/id.ts'
import { ServerText } from './messages/message.ts'
import { ServerMissedCall } from './messages/missed-call.ts'
import { ServerMute } from './messages/mute.ts'
import { ServerIceCandidate } from './messages/new-ice-candidate.ts'
import { ServerPushKeys } from './messages/push-keys.ts'
import { ServerPushRegistered } from './messages/push-registered.ts'
import { ServerRejectUsername } from './messages/rejectusername.ts'
import { ServerResumed } from './messages/resumed.ts'
import { ServerRingStopped } from './messages/ring-stopped.ts'
import { ServerRinging } from './messages/ringing.ts'
import { ServerRoomEntered } from './messages/room-entered.ts'
import { ServerRoomJoined } from './messages/room-joined.ts'
import { ServerRoomLeft } from './messages/room-left.ts'
import { ServerRoomSignal } from './messages/room-signal.ts'
import { ServerSession } from './messages/session.ts'
import { ServerToken } from './messages/token.ts'
import { ServerTransferDeclined } from './messages/transfer-declined.ts'
import { ServerUserlist } from './messages/userlist.ts'
import { ServerVideoAnswer } from './messages/video-answer.ts'
import { ServerVideoOffer } from './messages/video-offer.ts'
import { ServerWaking } from './messages/waking.ts'

/** Everything the server sends, by type. */
export const serverSchemas = {
  id: ServerId,
  session: ServerSession,
  resumed: ServerResumed,
  ack: ServerAck,
  rejectusername: ServerRejectUsername,
  userlist: ServerUserlist,
  message: ServerText,
  'video-offer': ServerVideoOffer,
  'video-answer': ServerVideoAnswer,
  'new-ice-candidate': ServerIceCandidate,
  'hang-up': ServerHangUp,
  ringing: ServerRinging,
  waking: ServerWaking,
  'missed-call': ServerMissedCall,
  'answered-elsewhere': ServerAnsweredElsewhere,
  'call-ended': ServerCallEnded,
  mute: ServerMute,
  hold: ServerHold,
  'room-joined': ServerRoomJoined,
  'room-entered': ServerRoomEntered,
  'room-left': ServerRoomLeft,
  'room-signal': ServerRoomSignal,
  'push-keys': ServerPushKeys,
  'push-registered': ServerPushRegistered,
  agent: ServerAgent,
  'call-is-coming': ServerCallIsComing,
  'browser-answer': ServerBrowserAnswer,
  'ring-stopped': ServerRingStopped,
  'call-state': ServerCallState,
  'call-transferred': ServerCallTransferred,
  'transfer-declined': ServerTransferDeclined,
  'call-permission': ServerCallPermission,
  token: ServerToken,
  'ice-servers': ServerIceServers,
  error: ServerError,
  bye: ServerBye,
} as const

export type ServerType = keyof typeof serverSchemas
export type ServerMessage = { [T in ServerType]: Static<(typeof serverSchemas)[T]> }[ServerType]

type WithoutSeq<M> = M extends unknown ? Omit<M, 'seq'> : never

/** A server message before its session numbers it. */
export type ServerBody = WithoutSeq<ServerMessage>
