/** Plain values of the protocol, free of any dependency: a browser imports them as they are. */

/** The WebSocket subprotocol. */
export const subprotocol = 'json'

/** The path of the WebSocket on the public origin. */
export const path = '/ws'

export const limits = {
  /** A larger frame closes the socket with 1009. */
  messageBytes: 64 * 1024,
  /** Code points of a name after normalisation. */
  nameLength: 64,
  /** What a client may send as a name, before it is shortened. */
  nameBytes: 1024,
  /** UTF-16 units of a text message. */
  textLength: 4096,
  /** From the socket's opening to an accepted name. */
  joinSeconds: 10,
  /** An offer that nobody answers ends as `no-answer`. */
  ringSeconds: 60,
  /** Messages, and bytes of them, that are kept of a session that can be resumed until the client's `ack`. */
  outboxMessages: 1024,
  outboxBytes: 1024 * 1024,
  /** Frames of a client for which it gets one `ack`. */
  framesPerAck: 64,
  /** Push endpoints of a user, the newest ones, and calls that are kept for it. */
  pushEndpoints: 16,
  missedCalls: 20,
  /** Members of a room: each sends to each, so this is what a client's uplink carries. */
  roomMembers: 8,
  /** Sessions that one user of an app may have at once. */
  devicesPerUser: 16,
  /** This long before its token ends, or after half of what is left of it, a client is asked for a fresh one. */
  tokenWarnSeconds: 60,
} as const

/** Types of what agents ask about customers' calls: signaling hands them on to the service that brings these. */
export const agentRequests = [
  'browser-offer',
  'browser-answer',
  'call-decline',
  'call-over',
  'call-hold',
  'call-transfer',
  'call-keep',
  'call-dial',
  'call-permission',
] as const

/** Why the server closes a socket; docs/PROTOCOL.md says what a client should do. */
export const closeCodes = {
  /** The server stops: reconnect after a moment. */
  goingAway: 1001,
  /** A frame was over `limits.messageBytes`. */
  tooLarge: 1009,
  /** Too many bad or too many messages. */
  abuse: 4400,
  /** The token is not valid, or guests may not join here. */
  unauthorized: 4401,
  /** The token ended. */
  tokenExpired: 4440,
  /** The user has as many sessions as it may. */
  tooManyDevices: 4429,
  /** The keys that would verify the token cannot be fetched. */
  keysUnavailable: 4503,
  /** No name within `limits.joinSeconds`. */
  joinTimeout: 4408,
  /** The session goes on over another socket. */
  replaced: 4409,
  /** The client did not `ack` what it was sent. */
  outboxFull: 4413,
} as const
