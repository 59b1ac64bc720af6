import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface DialogProps {
  readonly title: string
  readonly testId?: string
  readonly onEscape: () => void
  readonly children: ComponentChildren
}

/** A modal dialog: the browser keeps focus inside and gives it back afterwards. The element with `autofocus` gets it first. */
export function Dialog({ title, testId, onEscape, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()

  useEffect(() => {
    const dialog = element.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])

  return (
    <dialog
      ref={element}
      class="dialog"
      data-testid={testId}
      role="alertdialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onEscape()
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  )
}
