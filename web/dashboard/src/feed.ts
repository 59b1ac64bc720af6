import { useEffect, useState } from 'preact/hooks'

export interface Feed<T> {
  /** The latest answer; undefined before the first. */
  readonly data: T | undefined
  /** The last question was not answered. */
  readonly lost: boolean
}

/** Asks `path` again and again, one question at a time. */
export function useFeed<T>(path: string, everyMs: number): Feed<T> {
  const [feed, setFeed] = useState<Feed<T>>({ data: undefined, lost: false })
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let over = false
    async function ask(): Promise<void> {
      const data = await answerOf<T>(path)
      if (over) return
      setFeed((before) => ({ data: data ?? before.data, lost: data === undefined }))
      timer = setTimeout(ask, everyMs)
    }
    void ask()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [path, everyMs])
  return feed
}

async function answerOf<T>(path: string): Promise<T | undefined> {
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(20_000) })
    return answer.ok ? ((await answer.json()) as T) : undefined
  } catch {
    return undefined
  }
}
