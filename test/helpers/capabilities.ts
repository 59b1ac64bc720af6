/**
 * What this machine can be used for, found out by `npm test` before vitest starts and handed on in the environment:
 * `describe.skipIf(!has('docker'))`.
 */
export type Capability = 'chromium' | 'docker' | 'netns' | 'coturn' | 'aiortc' | 'gstreamer'

export const capabilities: readonly Capability[] = ['chromium', 'docker', 'netns', 'coturn', 'aiortc', 'gstreamer']

/** Names the capabilities that are there, comma-separated; absent when vitest was started without the set-up. */
export const capabilitiesVariable = 'HAIRPIN_TEST_HAS'

export function has(...wanted: readonly Capability[]): boolean {
  const present = (process.env[capabilitiesVariable] ?? '').split(',')
  return wanted.every((capability) => present.includes(capability))
}
