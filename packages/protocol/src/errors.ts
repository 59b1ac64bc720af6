/**
 * Every error code of the signaling service and the sentence a client shows. Plain values: a browser may import them.
 * docs/ERRORS.md lists the same table (a test compares the two).
 */
export const signalingErrors = {
  SIG_BAD_JSON: 'The frame is not a JSON object in a text frame.',
  SIG_BAD_MESSAGE: 'A field is missing or has the wrong form; see docs/PROTOCOL.md.',
  SIG_TYPE_RESERVED: 'Only the server sends messages of this type.',
  SIG_TARGET_REQUIRED: 'A message of a type that the server does not know needs a target: it is never broadcast.',
  SIG_TARGET_UNKNOWN: 'Nobody of that name is here.',
  SIG_NOT_JOINED: 'Send username first.',
  SIG_ALREADY_JOINED: 'This connection has joined already.',
  SIG_RESUME_UNKNOWN: 'No such session: it is over, or the token was used before. Send username to join anew.',
  SIG_RESUME_GAP: 'What was missed is not kept any more, and the session is over. Send username to join anew.',
  SIG_REPLACED: 'The session goes on over another socket.',
  SIG_OUTBOX_FULL: 'Too many messages wait for an ack; the session is over.',
  SIG_JOIN_TIMEOUT: 'No username came in time; connect again.',
  SIG_GUESTS_OFF: 'This server admits no guests.',
  SIG_TOKEN_INVALID: 'The token counts for nothing here.',
  SIG_TOKEN_EXPIRED: 'The token is expired; get a fresh one.',
  SIG_TOKEN_KEYS_UNAVAILABLE: 'The token cannot be verified now; try again in a moment.',
  SIG_TOKEN_MISMATCH: 'A fresh token must be of the same app and user as the last one.',
  SIG_TOO_MANY_DEVICES: 'This user is here as many times as it may.',
  SIG_RATE_LIMITED: 'Too many messages; slow down.',
  SIG_ABUSE: 'Too many errors on this connection.',
  SIG_NO_CALL: 'There is no such call.',
  SIG_IN_CALL: 'Not during a call; hang up first.',
  SIG_CALL_SELF: 'You cannot call yourself.',
  SIG_CALL_FORBIDDEN: 'The token does not let this user call that one.',
  SIG_GLARE: 'The other side called you first; answer that offer.',
  SIG_IN_ROOM: 'Not while you are in a room; leave it first.',
  SIG_ROOM_FULL: 'The room has as many members as it may.',
  SIG_NO_ROOM: 'You are not in that room, or that member is not.',
  SIG_PUSH_UNSUPPORTED: 'This server sends no pushes of that kind.',
  SIG_PUSH_ORIGIN:
    'The endpoint is at no push service that this server knows; the operator may list it in HAIRPIN_PUSH_ORIGINS.',
  SIG_ICE_SERVERS_UNAVAILABLE: 'The relay gives no credentials now; calls may still connect directly. Ask again later.',
  SIG_MESSAGE_TOO_LARGE: 'The message is larger than 64 KiB.',
  SIG_SLOW_CONSUMER: 'The client does not read what it is sent.',
  SIG_HEARTBEAT_LOST: 'The client did not answer a ping in time.',
  SIG_ORIGIN_DENIED: 'Pages of this origin may not connect; the operator may list it in HAIRPIN_ORIGINS.',
  SIG_TOO_MANY_CONNECTIONS: 'Too many connections from this address.',
  SIG_FULL: 'The server holds as many connections as it may; try again later.',
  SIG_UPGRADE_REQUIRED: 'This path speaks WebSocket only.',
} as const

export type SignalingErrorCode = keyof typeof signalingErrors
