import type { CertificateFacts, Log } from './driver.ts'
import type { BindingAnswer, Nat } from './nat.ts'
import type { IceServersAnswer, RelayTarget, StunTarget } from './servers.ts'
import type { LoopPlan } from './traffic.ts'

export interface Clock {
  /** Milliseconds, steady. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly date: () => number
  readonly sleep: (ms: number) => Promise<void>
}

/** What steps hand on to later ones. */
export interface Context {
  readonly log: Log
  readonly clock: Clock
  readonly loop: LoopPlan
  /** Further destinations for the NAT's behaviour. */
  readonly extraStun: readonly StunTarget[]
  /** Of the HTTPS certificate and of the relay's. */
  certificates: { https?: CertificateFacts; turns?: CertificateFacts }
  servers?: IceServersAnswer
  bindings?: readonly BindingAnswer[]
  filtering?: Nat['filtering']
  /** URLs by which the relay was reached, the best first. */
  reached: RelayTarget[]
}
