import type { Notice } from '../state/session.ts'
import { Close } from '../ui/icons.tsx'

/** The live region stands from the start, so that screen readers hear what comes into it. */
export function NoticeBar({
  notice,
  onDismiss,
}: {
  readonly notice: Notice | undefined
  readonly onDismiss: () => void
}) {
  return (
    <div class="notices" aria-live="polite">
      {notice && (
        <div class={`notice notice-${notice.tone}`} data-testid="notice">
          <p>
            {notice.text}
            {notice.check && (
              <>
                {' '}
                <a href="/check" target="_blank" rel="noopener" data-testid="check-link">
                  Check this connection
                </a>
              </>
            )}
          </p>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={onDismiss}>
            <Close />
          </button>
        </div>
      )}
    </div>
  )
}
