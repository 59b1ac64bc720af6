import { TopBar } from '../../../src/ui/top-bar.tsx'
import { callerText } from '../format.ts'
import type { View } from '../state/session.ts'

interface HeaderProps {
  readonly view: View
  readonly inside: boolean
  readonly onLeave: () => void
}

export function Header({ view, inside, onLeave }: HeaderProps) {
  const { state, text } = statusOf(view)
  return <TopBar heading={false} state={state} text={text} onLeave={inside ? onLeave : undefined} />
}

/** What matters most now: trouble with the server, then the call, then whether calls come. */
function statusOf({ available, call, connection, name, ringing, wanted }: View): {
  readonly state: string
  readonly text: string
} {
  if (connection === 'reconnecting')
    return { state: 'server-lost', text: call ? 'Server lost, the call goes on' : 'Server lost, reconnecting…' }
  if (call) {
    const isUp = call.state === 'connected' || call.state === 'answered'
    return {
      state: isUp ? 'connected' : 'calling',
      text: `${isUp ? 'In call with' : 'Calling'} ${callerText(call.caller)}`,
    }
  }
  if (ringing[0]) return { state: 'ringing', text: `${callerText(ringing[0].caller)} is calling` }
  if (connection === 'joined') {
    if (available) return { state: 'joined', text: `${name}: available` }
    return { state: wanted ? 'joining' : 'offline', text: wanted ? 'Becoming available…' : `${name}: not available` }
  }
  return connection === 'connecting' ? { state: 'joining', text: 'Joining…' } : { state: 'offline', text: 'Not joined' }
}
