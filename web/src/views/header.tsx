import type { View } from '../state/session.ts'
import { TopBar } from '../ui/top-bar.tsx'

interface HeaderProps {
  readonly view: View
  readonly inside: boolean
  readonly onLeave: () => void
}

export function Header({ view, inside, onLeave }: HeaderProps) {
  const { state, text } = statusOf(view)
  // Before one is inside, the form has the page's heading.
  return <TopBar heading={inside} state={state} text={text} onLeave={inside ? onLeave : undefined} />
}

/** What matters most now: trouble with the server, then the call, then who one is. */
function statusOf({ call, connection, name, preparing, room }: View): {
  readonly state: string
  readonly text: string
} {
  if (connection === 'reconnecting')
    return { state: 'server-lost', text: call || room ? 'Server lost, the call goes on' : 'Server lost, reconnecting…' }
  if (call) {
    const texts = {
      incoming: `${call.peer} is calling`,
      calling: `Calling ${call.peer}…`,
      waking: `Waking ${call.peer}’s device…`,
      ringing: `Ringing ${call.peer}…`,
      connecting: 'Connecting…',
      connected: `In call with ${call.peer}`,
      reconnecting: 'Path lost, looking for another…',
      ended: 'Call ended',
    }
    return { state: call.state, text: texts[call.state] }
  }
  if (room)
    return { state: 'room', text: `In a room with ${room.members.length} other${room.members.length === 1 ? '' : 's'}` }
  if (preparing !== undefined) return { state: 'preparing', text: 'Opening camera…' }
  if (connection === 'joined') return { state: 'joined', text: `Here as ${name}` }
  if (connection === 'connecting') return { state: 'joining', text: 'Joining…' }
  return { state: 'offline', text: 'Not joined' }
}
