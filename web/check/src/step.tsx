import type { StepReport } from '@hairpin/checks'

const words: Readonly<Record<StepReport['state'], string>> = {
  waiting: 'to come',
  running: 'checking',
  passed: 'passed',
  warning: 'warning',
  failed: 'failed',
  skipped: 'skipped',
}

export function StepItem({ step }: { readonly step: StepReport }) {
  const { id, title, state, detail, means, todo, log } = step
  return (
    <li class="step" data-testid={`step-${id}`} data-state={state}>
      <div class="step-line">
        <span class={`badge badge-${state}`}>{words[state]}</span>
        <h2>{title}</h2>
        {detail && <p class="detail">{detail}</p>}
      </div>
      {means && <p class={state === 'passed' || state === 'skipped' ? 'means quiet' : 'means'}>{means}</p>}
      {todo && (
        <p class="todo">
          <strong>What to do:</strong> {todo}
        </p>
      )}
      {log.length > 0 && (
        <details class="log">
          <summary>
            Log <span class="visually-hidden">of {title}</span>
          </summary>
          <ol>
            {log.map(({ at, text }) => (
              <li key={`${at} ${text}`}>
                <span class="at">{(at / 1000).toFixed(3)} s</span> {text}
              </li>
            ))}
          </ol>
        </details>
      )}
    </li>
  )
}
