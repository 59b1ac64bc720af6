import { HairpinError } from './errors.ts'

export interface MediaWish {
  readonly audio?: boolean | MediaTrackConstraints
  readonly video?: boolean | MediaTrackConstraints
}

/** `navigator.mediaDevices`, or React Native's; undefined where a browser withholds it (plain HTTP). */
export type MediaSource = Pick<MediaDevices, 'getUserMedia'> | undefined

export interface Media {
  readonly stream: MediaStream
  /** What was asked for and is not there: no such device, or taken by another program. */
  readonly missing: readonly ('audio' | 'video')[]
}

/**
 * Opens camera and microphone, or the one of them that exists. A refusal by the user is not worked around: it throws
 * `MEDIA_DENIED`, and the caller may go on without media.
 */
export async function openMedia(source: MediaSource, wish: MediaWish = { audio: true, video: true }): Promise<Media> {
  if (!source) throw new HairpinError('MEDIA_INSECURE_CONTEXT')
  const both = await attempt(source, wish)
  if (both.stream) return { stream: both.stream, missing: [] }
  if (wish.audio && wish.video && both.error.code !== 'MEDIA_DENIED') {
    const audio = await attempt(source, { audio: wish.audio })
    if (audio.stream) return { stream: audio.stream, missing: ['video'] }
    const video = await attempt(source, { video: wish.video })
    if (video.stream) return { stream: video.stream, missing: ['audio'] }
  }
  throw both.error
}

type Attempt =
  | { readonly stream: MediaStream; readonly error?: never }
  | { readonly stream?: never; readonly error: HairpinError }

async function attempt(source: NonNullable<MediaSource>, wish: MediaWish): Promise<Attempt> {
  try {
    return { stream: await source.getUserMedia(wish as MediaStreamConstraints) }
  } catch (error) {
    return { error: new HairpinError(codeOf(error), error) }
  }
}

/** Browsers agree on the names of the Media Capture specification (section 10.2); older engines keep aliases. */
function codeOf(error: unknown) {
  switch ((error as { name?: string } | undefined)?.name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'SecurityError':
      return 'MEDIA_DENIED'
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'MEDIA_NOT_FOUND'
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'MEDIA_IN_USE'
    default:
      return 'MEDIA_FAILED'
  }
}

/** Attaches what there is to a fresh peer connection, which then offers; what there is not is received only. */
export function offerMedia(pc: RTCPeerConnection, stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) pc.addTrack(track, stream as MediaStream)
  for (const kind of ['audio', 'video'])
    if (!stream?.getTracks().some((track) => track.kind === kind)) pc.addTransceiver(kind, { direction: 'recvonly' })
}

/**
 * Sends another track of a kind over these peer connections, or none; the one before is stopped. `stream` holds the new one
 * afterwards. A kind that was not sent so far is negotiated.
 */
export async function switchTrack(
  peers: readonly RTCPeerConnection[],
  stream: MediaStream,
  kind: 'audio' | 'video',
  track: MediaStreamTrack | undefined,
): Promise<void> {
  for (const old of stream.getTracks().filter((one) => one.kind === kind && one !== track)) {
    stream.removeTrack(old)
    old.stop()
  }
  if (track && !stream.getTracks().includes(track)) stream.addTrack(track)
  for (const peer of peers) {
    const transceiver = peer.getTransceivers().find(({ receiver }) => receiver.track.kind === kind)
    if (transceiver === undefined) {
      if (track) peer.addTrack(track, stream)
      continue
    }
    await transceiver.sender.replaceTrack(track ?? null)
    if (track === undefined || transceiver.direction.startsWith('send')) continue
    transceiver.sender.setStreams?.(stream)
    transceiver.direction = transceiver.direction === 'recvonly' ? 'sendrecv' : 'sendonly'
  }
}

export function stopMedia(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop()
}
