import { ConfigError } from '@hairpin/config'

/** Ends what was started. */
type Stop = () => Promise<void>

/** Seconds after which a stop that hangs is cut short. */
const STOP_DEADLINE = 15

/**
 * The frame of every `main`: the first SIGTERM or Ctrl-C ends cleanly with exit code 0, a second one at once with 1. A
 * start that fails exits with 1; what the operator can mend is told in one line, anything else is ours and keeps its
 * stack.
 * @param start hands over the way to stop as soon as there is something to end, listening or not, and how many seconds that
 *   may take, when it is more than the usual 15.
 */
export async function runService(
  start: (stopWith: (stop: Stop, seconds?: number) => void) => Promise<void>,
): Promise<void> {
  try {
    await start(stopOnSignal)
  } catch (error) {
    console.error(error instanceof ConfigError ? `hairpin: ${error.message}` : error)
    process.exit(1)
  }
}

function stopOnSignal(stop: Stop, seconds = STOP_DEADLINE): void {
  let stopping = false
  const fail = (reason: unknown) => {
    console.error(reason)
    process.exit(1)
  }
  const onSignal = () => {
    if (stopping) process.exit(1)
    stopping = true
    setTimeout(fail, seconds * 1000, `hairpin: not stopped after ${seconds} s`).unref()
    stop().then(() => process.exit(0), fail)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}
