import type { Call } from '@hairpin/client'
import { Avatar } from '../ui/avatar.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Camera, HangUp, Phone } from '../ui/icons.tsx'

interface IncomingProps {
  readonly call: Call
  readonly busy: boolean
  readonly onAccept: (video: boolean) => void
  readonly onDecline: () => void
}

/** The first answer is the one in kind: with a camera to whoever shows theirs. */
export function IncomingDialog({ call, busy, onAccept, onDecline }: IncomingProps) {
  const video = call.offersVideo
  const other = video ? 'Audio only' : 'With video'
  return (
    <Dialog title={`${call.peer} is calling${video ? '' : ' without camera'}`} testId="incoming" onEscape={onDecline}>
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
          onClick={() => onAccept(video)}
        >
          {video ? <Camera off={false} /> : <Phone />} Accept
        </button>
        <button
          type="button"
          class="button button-quiet"
          data-testid={video ? 'accept-audio' : 'accept-video'}
          disabled={busy}
          onClick={() => onAccept(!video)}
        >
          {video ? <Phone /> : <Camera off={false} />} {other}
        </button>
      </div>
    </Dialog>
  )
}
