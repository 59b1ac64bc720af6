import type { Static } from 'typebox'
import type { agentRequests } from './constants.ts'
import { ClientAck } from './messages/ack.ts'
import { ClientAgent } from './messages/agent.ts'
import { ClientBrowserAnswer } from './messages/browser-answer.ts'
import { ClientBrowserOffer } from './messages/browser-offer.ts'
import { ClientCallDecline } from './messages/call-decline.ts'
import { ClientCallDial } from './messages/call-dial.ts'
import { ClientCallHold } from './messages/call-hold.ts'
import { ClientCallKeep } from './messages/call-keep.ts'
import { ClientCallOver } from './messages/call-over.ts'
import { ClientCallPermission } from './messages/call-permission.ts'
import { ClientCallReject } from './messages/call-reject.ts'
import { ClientCallTransfer } from './messages/call-transfer.ts'
import { ClientHangUp } from './messages/hang-up.ts'
import { ClientHold } from './messages/hold.ts'
import { ClientIceServers } from './messages/ice-servers.ts'
import { ClientText } from './messages/message.ts'
import { ClientMute } from './messages/mute.ts'
import { ClientIceCandidate } from './messages/new-ice-candidate.ts'
import { ClientPushKeys } from './messages/push-keys.ts'
import { ClientPushRegister } from './messages/push-register.ts'
import { ClientPushUnregister } from './messages/push-unregister.ts'
import { ClientResume } from './messages/resume.ts'
import { ClientRoomJoin } from './messages/room-join.ts'
import { ClientRoomLeave } from './messages/room-leave.ts'
import { ClientRoomSignal } from './messages/room-signal.ts'
import { ClientToken } from './messages/token.ts'
import { ClientUsername } from './messages/username.ts'
import { ClientVideoAnswer } from './messages/video-answer.ts'
import { ClientVideoOffer } from './messages/video-offer.ts'

/** Everything a client may send, by type. */
export const clientSchemas = {
  username: ClientUsername,
  message: ClientText,
  'video-offer': ClientVideoOffer,
  'video-answer': ClientVideoAnswer,
  'new-ice-candidate': ClientIceCandidate,
  'hang-up': ClientHangUp,
  'call-reject': ClientCallReject,
  'ice-servers': ClientIceServers,
  mute: ClientMute,
  hold: ClientHold,
  'room-join': ClientRoomJoin,
  'room-leave': ClientRoomLeave,
  'room-signal': ClientRoomSignal,
  'push-keys': ClientPushKeys,
  'push-register': ClientPushRegister,
  'push-unregister': ClientPushUnregister,
  agent: ClientAgent,
  'browser-offer': ClientBrowserOffer,
  'browser-answer': ClientBrowserAnswer,
  'call-decline': ClientCallDecline,
  'call-over': ClientCallOver,
  'call-hold': ClientCallHold,
  'call-transfer': ClientCallTransfer,
  'call-keep': ClientCallKeep,
  'call-dial': ClientCallDial,
  'call-permission': ClientCallPermission,
  token: ClientToken,
  resume: ClientResume,
  ack: ClientAck,
} as const

export type ClientType = keyof typeof clientSchemas
export type ClientMessage = { [T in ClientType]: Static<(typeof clientSchemas)[T]> }[ClientType]

/** What agents ask about customers' calls. */
export type AgentRequest = Extract<ClientMessage, { type: (typeof agentRequests)[number] }>
