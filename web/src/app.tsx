import type { Session } from './state/session.ts'
import { useSession } from './state/use-session.ts'
import { CallView } from './views/call.tsx'
import { ChatPanel } from './views/chat-panel.tsx'
import { Header } from './views/header.tsx'
import { IncomingDialog } from './views/incoming.tsx'
import { JoinView } from './views/join.tsx'
import { MediaDialog } from './views/media-dialog.tsx'
import { NoticeBar } from './views/notice.tsx'
import { People } from './views/people.tsx'
import { RoomView } from './views/room.tsx'
import { Welcome } from './views/welcome.tsx'

export function App({ session }: { readonly session: Session }) {
  const view = useSession(session)
  const { call, room, chat } = view
  const inside = view.connection === 'joined' || view.connection === 'reconnecting' || call !== undefined
  const talking = call !== undefined && call.state !== 'incoming'
  const busy = talking || room !== undefined
  return (
    <div class={`page ${inside ? 'page-inside' : 'page-join'} ${busy ? 'page-call' : ''}`}>
      <Header view={view} inside={inside} onLeave={() => session.leave()} />
      <NoticeBar notice={view.notice} onDismiss={() => session.dismiss()} />
      {inside ? (
        <main class="room">
          <People
            view={view}
            onCall={(peer, video) => void session.call(peer, video)}
            onRing={(on) => void session.setRing(on)}
          />
          <section
            class="stage"
            aria-label={talking ? `Call with ${call.peer}` : room ? `Room ${room.name}` : 'No call'}
          >
            {talking ? (
              <CallView
                key={call}
                call={call}
                stats={view.stats}
                relayOnly={view.relayOnly}
                onRelayOnly={(on) => session.setRelayOnly(on)}
                onDeviceFailed={(error) => session.deviceFailed(error)}
              />
            ) : room ? (
              <RoomView
                room={room}
                link={session.linkTo(room.name)}
                name={view.name ?? ''}
                onLeave={() => session.leaveRoom()}
                onDeviceFailed={(error) => session.deviceFailed(error)}
              />
            ) : (
              <Welcome
                view={view}
                onRelayOnly={(on) => session.setRelayOnly(on)}
                onOpenRoom={() => void session.openRoom()}
              />
            )}
            {busy && chat && <ChatPanel lines={chat.lines} onSay={(text) => chat.say(text)} />}
          </section>
        </main>
      ) : (
        <JoinView
          view={view}
          invited={session.invited}
          onJoin={(name) => session.join(name)}
          onCancel={() => session.leave()}
        />
      )}
      {call?.state === 'incoming' && !view.question && (
        <IncomingDialog
          call={call}
          busy={view.preparing === call.peer}
          onAccept={(video) => void session.accept(call, video)}
          onDecline={() => call.decline()}
        />
      )}
      {view.question && <MediaDialog question={view.question} />}
    </div>
  )
}
