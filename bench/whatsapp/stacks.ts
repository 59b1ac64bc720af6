/** Media stacks that can be behind the bridge's `MediaLeg`. */
import type { NewLeg } from '../../services/whatsapp/src/media/leg.ts'

export const stackNames = ['node-datachannel', 'werift'] as const
export type StackName = (typeof stackNames)[number]

export const about: Readonly<Record<StackName, string>> = {
  'node-datachannel': 'the bridge as it ships: libdatachannel, SRTP in other threads than JavaScript',
  werift: 'the same bridge on werift: TypeScript alone, SRTP in the JavaScript thread',
}

/** Loaded when it is wanted: one stack's code must not be in the other's memory. */
export async function legsOf(stack: StackName, bindAddress: string): Promise<NewLeg> {
  if (stack === 'werift') return (await import('./werift-leg.ts')).weriftLegs(bindAddress)
  const { nativeLegs } = await import('../../services/whatsapp/src/media/native-leg.ts')
  return firstHeard(nativeLegs({ bindAddress }))
}

/**
 * The load is libdatachannel, too, which as the offerer fails when a check comes while it takes the answer (it begins DTLS
 * before it knows the fingerprint). So the load sends the first check; browsers need no such care.
 */
function firstHeard(newLeg: NewLeg): NewLeg {
  return (events, side) => {
    const leg = newLeg(events, side)
    leg.start = () => {}
    return leg
  }
}
