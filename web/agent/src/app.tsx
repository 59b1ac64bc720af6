import { NoticeBar } from '../../src/views/notice.tsx'
import type { AgentSession } from './state/session.ts'
import { useSession } from './state/use-session.ts'
import { CallView } from './views/call.tsx'
import { DeskPanel } from './views/desk.tsx'
import { Header } from './views/header.tsx'
import { HistoryList } from './views/history.tsx'
import { IncomingSheet } from './views/incoming.tsx'
import { JoinView } from './views/join.tsx'
import { OutgoingForm } from './views/outgoing.tsx'

export function App({ session }: { readonly session: AgentSession }) {
  const view = useSession(session)
  const { call, connection } = view
  const inside = connection === 'joined' || connection === 'reconnecting' || call !== undefined
  return (
    <div class={`page ${inside ? 'page-inside' : 'page-join'}`}>
      <Header view={view} inside={inside} onLeave={() => session.leave()} />
      <NoticeBar notice={view.notice} onDismiss={() => session.dismiss()} />
      {inside ? (
        <main class={`desk ${call ? 'desk-call' : ''}`}>
          <h1 class="unseen">Customers’ calls</h1>
          <section class="desk-stage" aria-label={call ? 'Call' : 'Call a customer'}>
            {call ? <CallView key={call} call={call} session={session} view={view} /> : null}
            {!call && <OutgoingForm view={view} session={session} />}
            {!call && (
              <HistoryList
                calls={view.history}
                onRedial={(number) => void session.check(number)}
                onClear={() => session.clearHistory()}
              />
            )}
          </section>
          <DeskPanel view={view} session={session} />
        </main>
      ) : (
        <JoinView view={view} onJoin={(name, token) => session.join(name, token)} onCancel={() => session.leave()} />
      )}
      {view.ringing.length > 0 && !call && (
        <IncomingSheet
          calls={view.ringing}
          preparing={view.preparing !== undefined}
          labelOf={(name) => session.labelOf(name)}
          onTake={(ringing) => void session.take(ringing)}
        />
      )}
    </div>
  )
}
