import { describe, expect, it } from 'vitest'
import { backoff } from '../src/backoff.ts'
import { type MediaWish, openMedia } from '../src/media.ts'

/** A device set: asking for a kind that is not in it fails with the given name. */
function devices(kinds: readonly string[], errorName = 'NotFoundError') {
  const asked: MediaWish[] = []
  const getUserMedia = async (wish: MediaWish) => {
    asked.push(wish)
    if ((wish.audio && !kinds.includes('audio')) || (wish.video && !kinds.includes('video')))
      throw Object.assign(new Error(errorName), { name: errorName })
    return wish as MediaStream
  }
  return { asked, source: { getUserMedia } as never }
}

describe('openMedia', () => {
  it('opens what exists and says what is missing', async () => {
    expect((await openMedia(devices(['audio', 'video']).source)).missing).toEqual([])
    expect(await openMedia(devices(['audio']).source)).toEqual({ stream: { audio: true }, missing: ['video'] })
    expect((await openMedia(devices(['video'], 'NotReadableError').source)).missing).toEqual(['audio'])
  })

  it('asks no second time after a refusal', async () => {
    const { asked, source } = devices([], 'NotAllowedError')
    await expect(openMedia(source)).rejects.toMatchObject({ code: 'MEDIA_DENIED' })
    expect(asked).toHaveLength(1)
  })

  it('names every failure by a stable code', async () => {
    const codes = { NotFoundError: 'MEDIA_NOT_FOUND', NotReadableError: 'MEDIA_IN_USE', TypeError: 'MEDIA_FAILED' }
    for (const [name, code] of Object.entries(codes))
      await expect(openMedia(devices([], name).source)).rejects.toMatchObject({ code })
    await expect(openMedia(undefined)).rejects.toMatchObject({ code: 'MEDIA_INSECURE_CONTEXT' })
  })
})

describe('backoff', () => {
  it('doubles up to its bound, with the lower half of each wait fixed', () => {
    const waits = (random: number) => [0, 1, 2, 9, 500].map(backoff({ base: 100, max: 1000, random: () => random }))
    expect(waits(0)).toEqual([50, 100, 200, 500, 500])
    expect(waits(1)).toEqual([100, 200, 400, 1000, 1000])
  })

  it('gives up after its attempts', () => {
    expect(backoff({ attempts: 1 })(1)).toBeUndefined()
  })
})
