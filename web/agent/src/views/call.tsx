import type { AgentCall } from '@hairpin/client'
import { useState } from 'preact/hooks'
import { Avatar } from '../../../src/ui/avatar.tsx'
import { Elapsed } from '../../../src/ui/elapsed.tsx'
import { HangUpButton } from '../../../src/ui/hang-up-button.tsx'
import { Mic } from '../../../src/ui/icons.tsx'
import { Toggle } from '../../../src/ui/toggle.tsx'
import { PairLine } from '../../../src/views/pair-line.tsx'
import { callerText, numberText, stateText } from '../format.ts'
import type { AgentSession, View } from '../state/session.ts'
import { Hold, Keys, Transfer } from './icons.tsx'
import { Keypad } from './keypad.tsx'
import { TransferPanel } from './transfer.tsx'
import { Voice } from './voice.tsx'

interface CallProps {
  readonly call: AgentCall
  readonly session: AgentSession
  readonly view: View
}

export function CallView({ call, session, view }: CallProps) {
  const [panel, setPanel] = useState<'keypad' | 'transfer'>()
  const isUp = !call.restoring && (call.state === 'connected' || call.state === 'answered')
  const who = callerText(call.caller)
  const toggle = (wanted: 'keypad' | 'transfer') => setPanel(panel === wanted ? undefined : wanted)

  return (
    <div class="card talk" data-testid="call" data-state={call.state} data-media={call.media}>
      <Voice stream={call.remoteStream} label={`Voice of ${who}`} />
      <span class={isUp ? '' : 'ringing-avatar'}>
        <Avatar name={who} large />
      </span>
      <h2 class="talk-name">{who}</h2>
      {call.caller.name !== undefined && <p class="quiet">{numberText(call.caller.number)}</p>}
      <p class="talk-state" role="status" data-testid="call-state">
        {stateText(call)}
      </p>
      <Elapsed since={call.answeredAt} />
      {call.restoring && (
        <button
          type="button"
          class="button button-primary"
          data-testid="continue"
          disabled={view.preparing !== undefined}
          onClick={() => void session.continueHere(call)}
        >
          Continue here
        </button>
      )}
      <section class="controls" aria-label="Call controls">
        <Toggle
          testId="mute"
          on={call.muted}
          name="Mute"
          disabled={!call.localStream}
          onClick={() => call.setMuted(!call.muted)}
        >
          <Mic off={call.muted} />
        </Toggle>
        <Toggle testId="hold" on={call.held} name="Hold" disabled={!isUp} onClick={() => call.setHeld(!call.held)}>
          <Hold />
        </Toggle>
        <Toggle
          testId="keypad-toggle"
          on={panel === 'keypad'}
          name="Keypad"
          disabled={!isUp}
          onClick={() => toggle('keypad')}
        >
          <Keys />
        </Toggle>
        {view.mode === 'bridge' && (
          <Toggle
            testId="transfer-toggle"
            on={panel === 'transfer'}
            name="Hand over"
            disabled={!isUp}
            onClick={() => toggle('transfer')}
          >
            <Transfer />
          </Toggle>
        )}
        <HangUpButton call={call} />
      </section>
      {panel === 'keypad' && isUp && <Keypad call={call} />}
      {(panel === 'transfer' || call.transferringTo !== undefined) && isUp && (
        <TransferPanel call={call} others={view.others} labelOf={(name) => session.labelOf(name)} />
      )}
      {view.stats && call.media === 'connected' && (
        <div class="talk-facts">
          <PairLine stats={view.stats} />
        </div>
      )}
    </div>
  )
}
