import { clientErrors } from '@hairpin/client'
import type { MediaQuestion } from '../state/session.ts'
import { Dialog } from '../ui/dialog.tsx'

export function MediaDialog({ question }: { readonly question: MediaQuestion }) {
  const { answer, code, peer } = question
  return (
    <Dialog title="No camera or microphone" testId="media-problem" onEscape={() => answer('cancel')}>
      <p>{clientErrors[code]}</p>
      <p class="hint">Without them you see and hear {peer}, and are not seen or heard.</p>
      <div class="dialog-buttons">
        <button type="button" class="button" data-testid="media-cancel" onClick={() => answer('cancel')}>
          Cancel
        </button>
        <button type="button" class="button" data-testid="media-without" onClick={() => answer('without')}>
          Go on without
        </button>
        <button type="button" class="button button-primary" autofocus onClick={() => answer('retry')}>
          Try again
        </button>
      </div>
    </Dialog>
  )
}
