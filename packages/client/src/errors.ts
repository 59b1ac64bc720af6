/** Every failure the SDK itself reports, with the sentence that says what to do. Codes are stable. */
export const clientErrors = {
  MEDIA_INSECURE_CONTEXT: 'The browser gives camera and microphone only to pages on HTTPS or localhost.',
  MEDIA_DENIED: 'Camera and microphone are blocked for this page. Allow them in the site settings and try again.',
  MEDIA_NOT_FOUND: 'No camera or microphone was found.',
  MEDIA_IN_USE: 'Camera or microphone is in use by another program. Close it there and try again.',
  MEDIA_FAILED: 'Camera and microphone could not be opened.',
  TOKEN_FAILED: 'getToken gave no token, so the server cannot be joined now.',
  NOT_CONNECTED: 'There is no connection to the server yet.',
  ALREADY_IN_CALL: 'There is a call already. Hang up first.',
  PUSH_REFUSED: 'The server did not take the push endpoint.',
  WEBRTC_UNSUPPORTED: 'This environment has no WebRTC. Pass a PeerConnection implementation.',
} as const

export type ClientErrorCode = keyof typeof clientErrors

export class HairpinError extends Error {
  readonly code: ClientErrorCode

  constructor(code: ClientErrorCode, cause?: unknown) {
    super(clientErrors[code], cause === undefined ? undefined : { cause })
    this.name = 'HairpinError'
    this.code = code
  }
}
