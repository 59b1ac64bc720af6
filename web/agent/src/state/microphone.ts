import { openMedia } from '@hairpin/client'

const key = 'hairpin microphone'

/** Opens the microphone that was chosen last, or any when that one is not there. @throws HairpinError */
export async function openMicrophone(id = chosenMicrophone()): Promise<MediaStream> {
  const wish = id === undefined ? true : { deviceId: { ideal: id } }
  const { stream } = await openMedia(navigator.mediaDevices, { audio: wish })
  return stream
}

export function chosenMicrophone(): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

export function chooseMicrophone(id: string): void {
  try {
    localStorage.setItem(key, id)
  } catch {
    // For this page only, then.
  }
}
