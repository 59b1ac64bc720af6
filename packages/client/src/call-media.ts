import type { CallSignal } from './call-options.ts'
import { stopMedia } from './media.ts'

/** What this side of a call sends of its stream, what the other side was told of that, and what it says of itself. */
export class CallMedia {
  stream: MediaStream | undefined
  muted = false
  cameraOff = false
  held = false
  remoteMuted = false
  remoteCameraOff = false
  remoteHeld = false
  /** What the other side was told last; undefined: it may hold anything for true. */
  #told: { audio: boolean; video: boolean; held: boolean } | undefined

  /** @param fresh the other side knows nothing yet, and expects sound and picture */
  constructor(fresh: boolean) {
    if (fresh) this.#told = { audio: false, video: false, held: false }
  }

  /** Lets those tracks run that are to be sent. */
  apply(): void {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !this.muted && !this.held
    for (const track of this.stream?.getVideoTracks() ?? []) track.enabled = !this.cameraOff && !this.held
  }

  /** What the other side has not been told yet. */
  news(): readonly CallSignal[] {
    const audio = this.muted || !this.stream?.getAudioTracks().length
    const video = this.cameraOff || !this.stream?.getVideoTracks().length
    const held = this.held
    const told = this.#told
    this.#told = { audio, video, held }
    const news: CallSignal[] = []
    if (audio !== told?.audio || video !== told.video) news.push({ type: 'mute', target: null, audio, video })
    if (held !== told?.held) news.push({ type: 'hold', target: null, held })
    return news
  }

  /** The other side's page was loaded anew. */
  forgotten(): void {
    this.#told = undefined
  }

  stop(): void {
    stopMedia(this.stream)
  }
}
