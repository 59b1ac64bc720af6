import { useEffect, useRef, useState } from 'preact/hooks'
import type { ChatLine } from '../state/chat.ts'

interface ChatProps {
  readonly lines: readonly ChatLine[]
  readonly onSay: (text: string) => void
}

/** Text beside a call or room; the log is announced as it grows. */
export function ChatPanel({ lines, onSay }: ChatProps) {
  const [text, setText] = useState('')
  const log = useRef<HTMLDivElement>(null)

  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight })
  }, [lines.length])

  const submit = (event: Event) => {
    event.preventDefault()
    if (text.trim() === '') return
    onSay(text.trim())
    setText('')
  }

  return (
    <section class="chat card" aria-label="Text chat">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a log that scrolls must be reachable by keyboard */}
      <div class="chat-log" ref={log} role="log" tabIndex={0} data-testid="chat-log">
        {lines.map((line) => (
          <p key={`${line.date} ${line.name} ${line.text}`} class={line.own ? 'chat-line chat-own' : 'chat-line'}>
            <span class="chat-name">{line.own ? 'You' : line.name}</span> {line.text}
          </p>
        ))}
      </div>
      <form class="chat-form" onSubmit={submit}>
        <input
          aria-label="Message"
          placeholder="Message"
          data-testid="chat-input"
          value={text}
          maxLength={4096}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button" data-testid="chat-send">
          Send
        </button>
      </form>
    </section>
  )
}
