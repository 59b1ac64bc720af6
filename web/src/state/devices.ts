import { type Call, openMedia, type Room } from '@hairpin/client'

export type DeviceKind = 'audio' | 'video'

export interface Device {
  readonly id: string
  readonly kind: DeviceKind
  readonly label: string
}

/** The cameras and microphones that the browser names; it does so once one of them was allowed. */
export async function listDevices(): Promise<readonly Device[]> {
  const found = (await navigator.mediaDevices?.enumerateDevices()) ?? []
  return found.flatMap(({ deviceId, kind, label }) =>
    deviceId !== '' && (kind === 'audioinput' || kind === 'videoinput')
      ? [{ id: deviceId, kind: kind === 'audioinput' ? ('audio' as const) : ('video' as const), label }]
      : [],
  )
}

/** Which of the devices a stream comes from. */
export function chosen(stream: MediaStream | undefined, kind: DeviceKind): string {
  return (
    stream
      ?.getTracks()
      .find((track) => track.kind === kind)
      ?.getSettings().deviceId ?? ''
  )
}

export async function useDevice(session: Call | Room, kind: DeviceKind, id: string): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ [kind]: { deviceId: { exact: id } } })
  await session.switchTrack(kind, stream.getTracks()[0])
}

/** Sends the first device of a kind that was not sent so far. */
export async function turnOn(session: Call | Room, kind: DeviceKind): Promise<void> {
  const { stream } = await openMedia(navigator.mediaDevices, { [kind]: true })
  await session.switchTrack(kind, stream.getTracks()[0])
}

/** Sends the screen in place of the camera, until `stop` or the browser's own button. */
export async function shareScreen(session: Call | Room, ended: () => void): Promise<() => Promise<void>> {
  const camera = chosen(session.localStream, 'video')
  const [screen] = (await navigator.mediaDevices.getDisplayMedia({ video: true })).getVideoTracks()
  let sharing = true
  const stop = async () => {
    if (!sharing) return
    sharing = false
    ended()
    if (camera === '') await session.switchTrack('video')
    else await useDevice(session, 'video', camera)
  }
  screen?.addEventListener('ended', () => void stop())
  await session.switchTrack('video', screen)
  return stop
}
