import { useEffect, useState } from 'preact/hooks'
import { duration } from '../format.ts'

/** The time since then, while it runs. @param since ms since 1970; undefined: nothing runs yet */
export function Elapsed({ since }: { readonly since: number | undefined }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return (
    <span class="elapsed" role="timer" aria-label="Duration" data-testid="elapsed">
      {since === undefined ? '' : duration(now - since)}
    </span>
  )
}
