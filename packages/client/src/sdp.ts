/** The little that is read of session descriptions; only the two peers' own engines write them. */

/** The id of the peer connection that made a description: the session id of its `o=` line (RFC 8829 section 5.2.1). */
export function sdpSession(description: RTCSessionDescriptionInit | undefined): string | undefined {
  return /^o=\S+ (\S+)/m.exec(description?.sdp ?? '')?.[1]
}

/** Whether who made the description means to send a picture: a video section that is not refused (port 0), and sends. */
export function sendsVideo(description: RTCSessionDescriptionInit | undefined): boolean {
  const sections = (description?.sdp ?? '').split(/^(?=m=)/m)
  return sections.some((section) => /^m=video [1-9]/.test(section) && !/^a=(?:recvonly|inactive)/m.test(section))
}

/** The fields that the protocol has, none of them missing. */
export function wholeCandidate(candidate: RTCIceCandidateInit) {
  return {
    candidate: candidate.candidate ?? '',
    sdpMid: candidate.sdpMid ?? null,
    sdpMLineIndex: candidate.sdpMLineIndex ?? null,
    usernameFragment: candidate.usernameFragment ?? null,
  }
}
