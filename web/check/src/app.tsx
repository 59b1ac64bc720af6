import { closingText, type Report, reportJson, reportText, runChecks, stepsFor } from '@hairpin/checks'
import { useState } from 'preact/hooks'
import { Logo } from '../../src/ui/icons.tsx'
import { BrowserDriver } from './driver/browser.ts'
import { StartForm } from './start-form.tsx'
import { StepItem } from './step.tsx'
import { TakeReport } from './take-report.tsx'

const clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
}

export function App() {
  const [report, setReport] = useState<Report>()
  const running = report !== undefined && report.verdict === undefined
  const start = (bearer: string | undefined) => {
    const steps = stepsFor('browser', bearer === undefined ? 'guest' : 'api')
    void runChecks(steps, new BrowserDriver(bearer), { clock, onChange: setReport })
  }
  return (
    <div class="page">
      <header class="header">
        <a class="brand" href="/">
          <Logo /> Hairpin
        </a>
      </header>
      <main>
        <h1>Do calls get through from here?</h1>
        <p class="lead">
          The check goes the way of a call step by step: signaling, credentials, and the relay by every transport. It
          takes up to a minute and sends less than 2 MB.
        </p>
        <StartForm running={running} again={report !== undefined} onStart={start} />
        <Verdict report={report} />
        {report && (
          <ol class="steps" aria-label="Steps">
            {report.steps.map((step) => (
              <StepItem key={step.id} step={step} />
            ))}
          </ol>
        )}
        {report?.verdict && <TakeReport text={reportText(report)} json={reportJson(report)} />}
      </main>
      <footer class="footer">
        <a href="/">Back to the calls</a>
        <span>
          Beyond what a browser can see: <code>npx hairpin doctor --url {location.origin}</code>
        </span>
      </footer>
    </div>
  )
}

const headlines = {
  passed: 'Calls get through from here.',
  warning: 'Calls should get through, but there is something to look at.',
  failed: 'Something on the way does not work.',
  skipped: 'Nothing could be checked.',
}

/** A call needs one way to the relay, not every one. */
function headlineOf({ steps }: Report, verdict: keyof typeof headlines): string {
  const loop = steps.find(({ id }) => id === 'loop')?.state
  const isCarried = loop === 'passed' || loop === 'warning'
  return verdict === 'failed' && isCarried ? 'Calls get through from here, but not by every way.' : headlines[verdict]
}

/** Stands from the start, so that screen readers hear what comes into it. */
function Verdict({ report }: { readonly report: Report | undefined }) {
  const current = report?.steps.find(({ state }) => state === 'running')
  return (
    <div class="verdict" role="status" data-testid="verdict" data-verdict={report?.verdict}>
      {report?.verdict && (
        <>
          <p class="headline">{headlineOf(report, report.verdict)}</p>
          <p>{closingText(report)}</p>
        </>
      )}
      {current && !report?.verdict && <p>Checking: {current.title} …</p>}
    </div>
  )
}
