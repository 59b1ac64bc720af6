import type { Call } from '@hairpin/client'
import { Avatar } from '../ui/avatar.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { HangUp, Phone } from '../ui/icons.tsx'

interface IncomingProps {
  readonly call: Call
  readonly busy: boolean
  readonly onAccept: () => void
  readonly onDecline: () => void
}

export function IncomingDialog({ call, busy, onAccept, onDecline }: IncomingProps) {
  return (
    <Dialog title={`${call.peer} is calling`} testId="incoming" onEscape={onDecline}>
      <div class="ringing-avatar">
        <Avatar name={call.peer} large />
      </div>
      <p class="hint">{busy ? 'Opening camera and microphone…' : 'Enter accepts, Escape declines.'}</p>
      <div class="dialog-buttons">
        <button type="button" class="button button-danger" data-testid="decline" onClick={onDecline}>
          <HangUp /> Decline
        </button>
        <button
          type="button"
          class="button button-go"
          data-testid="accept"
          autofocus
          disabled={busy}
          onClick={onAccept}
        >
          <Phone /> Accept
        </button>
      </div>
    </Dialog>
  )
}
