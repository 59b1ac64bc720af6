import { useEffect, useReducer } from 'preact/hooks'
import type { AgentSession, View } from './session.ts'

/** The session's view, drawn anew at each change. */
export function useSession(session: AgentSession): View {
  const [, redraw] = useReducer((count: number, _: undefined) => count + 1, 0)
  useEffect(() => session.subscribe(() => redraw(undefined)), [session])
  return session.view
}
