import { describe, expect, it } from 'vitest'
import { call, hangUp, talking } from '../helpers/call.ts'
import { has } from '../helpers/capabilities.ts'
import { useStage } from '../helpers/stage.ts'

describe.skipIf(!has('chromium'))('a page that is loaded anew', () => {
  const stage = useStage()

  it.each(['caller', 'callee'])('during a call of the %s goes on with it: pictures both ways', async (who) => {
    const [ann, bob] = await stage.pair({ relayOnly: true })
    await call(ann, bob)
    await Promise.all([talking(ann), talking(bob)])
    const [gone, stayer] = who === 'caller' ? [ann, bob] : [bob, ann]
    await gone.page.reload()
    // Its pictures come from the other side's new peer connection.
    expect((await talking(gone)).pair.local).toBe('relay')
    await stayer.page.locator('[data-testid=status][data-state=connected]').waitFor()
    await talking(stayer)
    expect(await stayer.page.getByTestId('notice').count()).toBe(0)
    await hangUp(stayer)
    await gone.page
      .getByTestId('notice')
      .filter({ hasText: `${stayer.name} hung up.` })
      .waitFor()
  })

  it('on both sides at once finds the other again', async () => {
    const [ann, bob] = await stage.pair()
    await call(ann, bob)
    await Promise.all([talking(ann), talking(bob)])
    await Promise.all([ann.page.reload(), bob.page.reload()])
    await Promise.all([talking(ann), talking(bob)])
  })

  it('while it rings, rings again', async () => {
    const [ann, bob] = await stage.pair()
    await ann.page.getByTestId('call-bob').click()
    await bob.page.getByTestId('incoming').waitFor()
    await bob.page.reload()
    await bob.page.getByTestId('accept').click()
    await Promise.all([talking(ann, 1), talking(bob, 1)])
  })
})
