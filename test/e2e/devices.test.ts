import { signSignalingToken } from '@hairpin/tokens'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { has } from '../helpers/capabilities.ts'
import { until } from '../helpers/exec.ts'
import { accept, callFrom, callIs, openDevice } from '../helpers/sdk-page.ts'
import { useStage } from '../helpers/stage.ts'

const secret = 'a-secret-of-the-shop-for-its-tokens'

describe.skipIf(!has('chromium'))('a user with two devices', () => {
  const stage = useStage(() => ({ env: { HAIRPIN_SIGNALING_SECRETS: `shop:${secret}` } }))

  async function device(user: string): Promise<Page> {
    return openDevice(stage, await signSignalingToken({ app: 'shop', secret, user, ttl: 600 }))
  }

  it('is rung on both, has the call on the one that answers first, and is busy for others', async () => {
    const ann = await device('ann')
    const phone = await device('ben')
    const laptop = await device('ben')
    const carol = await device('carol')

    await callFrom(ann, 'ben')
    await Promise.all([callIs(phone, 'incoming'), callIs(laptop, 'incoming')])
    await accept(phone)
    await callIs(laptop, 'answered-elsewhere')
    await Promise.all([sees(ann), sees(phone)])

    for (const name of ['ann', 'ben']) {
      await callFrom(carol, name)
      await callIs(carol, 'busy')
    }
    expect(await outcome(laptop)).toBe('answered-elsewhere')
    expect(await outcome(phone)).toBe('connected')

    await phone.evaluate(() => window.call?.hangUp())
    await callIs(ann, 'hang-up')
    await callFrom(ann, 'ben')
    await Promise.all([callIs(phone, 'incoming'), callIs(laptop, 'incoming')])
    // At once: the server takes one of the answers, and the late device, which began to connect, must not be in its way.
    await Promise.all([accept(phone), accept(laptop)])
    const winner = await until('one device has it and the other knows', async () => {
      const states = await Promise.all([phone, laptop].map(outcome))
      const late = states.indexOf('answered-elsewhere')
      return late === 0 ? laptop : late === 1 ? phone : undefined
    })
    await Promise.all([sees(ann), sees(winner)])
  })
})

function outcome(page: Page): Promise<string | undefined> {
  return page.evaluate(() => window.call?.end?.reason ?? window.call?.state)
}

/** Pictures of the other side are decoded. */
function sees(page: Page): Promise<number> {
  return until('pictures', async () => {
    const frames = await page.evaluate(async () => {
      const stats = [...((await window.call?.peerConnection?.getStats())?.values() ?? [])]
      return stats.reduce((sum, { type, framesDecoded = 0 }) => sum + (type === 'inbound-rtp' ? framesDecoded : 0), 0)
    })
    return frames > 10 ? frames : undefined
  })
}
