import type { Session } from './state/session.ts'
import { useSession } from './state/use-session.ts'
import { CallView } from './views/call.tsx'
import { Header } from './views/header.tsx'
import { IncomingDialog } from './views/incoming.tsx'
import { JoinView } from './views/join.tsx'
import { MediaDialog } from './views/media-dialog.tsx'
import { NoticeBar } from './views/notice.tsx'
import { People } from './views/people.tsx'
import { Welcome } from './views/welcome.tsx'

export function App({ session }: { readonly session: Session }) {
  const view = useSession(session)
  const { call } = view
  const inside = view.connection === 'joined' || view.connection === 'reconnecting' || call !== undefined
  const talking = call !== undefined && call.state !== 'incoming'
  return (
    <div class={`page ${inside ? 'page-inside' : 'page-join'} ${talking ? 'page-call' : ''}`}>
      <Header view={view} inside={inside} onLeave={() => session.leave()} />
      <NoticeBar notice={view.notice} onDismiss={() => session.dismiss()} />
      {inside ? (
        <main class="room">
          <People view={view} onCall={(peer) => void session.call(peer)} />
          <section class="stage" aria-label={talking ? `Call with ${call.peer}` : 'No call'}>
            {talking ? (
              <CallView
                key={call}
                call={call}
                stats={view.stats}
                relayOnly={view.relayOnly}
                onRelayOnly={(on) => session.setRelayOnly(on)}
              />
            ) : (
              <Welcome view={view} onRelayOnly={(on) => session.setRelayOnly(on)} />
            )}
          </section>
        </main>
      ) : (
        <JoinView view={view} onJoin={(name) => session.join(name)} onCancel={() => session.leave()} />
      )}
      {call?.state === 'incoming' && !view.question && (
        <IncomingDialog
          call={call}
          busy={view.preparing === call.peer}
          onAccept={() => void session.accept(call)}
          onDecline={() => call.decline()}
        />
      )}
      {view.question && <MediaDialog question={view.question} />}
    </div>
  )
}
