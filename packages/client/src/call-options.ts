import type { ClientMessage } from '@hairpin/protocol'
import type { CallEnd, CallState } from './call-state.ts'
import type { Timers } from './timers.ts'

/** What a call asks to have sent to its peer. */
export type CallSignal = Extract<
  ClientMessage,
  { type: 'video-offer' | 'video-answer' | 'new-ice-candidate' | 'hang-up' | 'call-reject' | 'mute' | 'hold' }
>

export interface CallEvents {
  state: [CallState]
  /** Mute, camera, hold or local stream changed, or the other side's mute, camera or hold. */
  media: []
  'remote-stream': [MediaStream]
  ended: [CallEnd]
  /** What a page that is loaded anew has to know changed: `remoteSession` or `connectedAt`. */
  noted: []
  signal: [CallSignal]
}

export interface CallOptions {
  readonly peer: string
  readonly direction: 'outgoing' | 'incoming'
  /** Asked at the moment the peer connection is made. */
  readonly iceServers: () => readonly RTCIceServer[]
  readonly createPeer: (configuration: RTCConfiguration) => RTCPeerConnection
  /**
   * Only candidates of the relay: hides this side's addresses, and proves that the relay works. Chosen once per call: Chromium
   * keeps a direct path that stands, whatever the policy of a later ICE restart says.
   */
  readonly relayOnly?: boolean
  /** A call that a page before this one was in: `rejoin` goes on with it. */
  readonly restored?: {
    readonly state: 'ringing' | 'connected'
    readonly remoteSession?: string
    readonly connectedAt?: number
  }
  /** Milliseconds: a backstop behind the server's own ring time, and how long a path may take to appear or come back. */
  readonly ringTimeout?: number
  readonly connectTimeout?: number
  readonly timers?: Timers
}
