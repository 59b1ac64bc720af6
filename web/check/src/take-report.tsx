import { useRef, useState } from 'preact/hooks'

/** The report, to be sent to whoever runs the server. */
export function TakeReport({ text, json }: { readonly text: string; readonly json: string }) {
  const [told, setTold] = useState('')
  const field = useRef<HTMLTextAreaElement>(null)
  const copy = async (what: string, name: string) => {
    try {
      await navigator.clipboard.writeText(what)
      setTold(`Copied as ${name}.`)
    } catch {
      // Pages over plain HTTP have no clipboard.
      field.current?.focus()
      field.current?.select()
      setTold('The browser does not let this page copy: the text below is selected, copy it by hand.')
    }
  }
  return (
    <section class="card report" aria-labelledby="report">
      <h2 id="report">Report</h2>
      <p class="hint">It names your public address and your browser, and no password, key or token.</p>
      <div class="buttons">
        <button type="button" class="button" data-testid="copy-text" onClick={() => void copy(text, 'text')}>
          Copy as text
        </button>
        <button type="button" class="button" data-testid="copy-json" onClick={() => void copy(json, 'JSON')}>
          Copy as JSON
        </button>
        <span role="status">{told}</span>
      </div>
      <textarea ref={field} readOnly rows={10} value={text} aria-label="The report as text" />
    </section>
  )
}
