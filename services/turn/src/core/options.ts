/** What a server is made with, and its limits. */
import type { Bandwidth } from './bandwidth.ts'
import type { CreditPolicy } from './credits.ts'
import type { Discovery } from './discovery.ts'
import type { CredentialExpiry } from './expiry.ts'
import type { MobilityOptions } from './mobility.ts'
import type {
  ChallengeBudget,
  FlowDirectory,
  PasswordPolicy,
  PeerPolicy,
  PortPool,
  QuotaPolicy,
  ServerEvents,
} from './policies.ts'
import type { TcpRelayOptions } from './tcp/options.ts'
import type { TokenBucket } from './token-bucket.ts'

export interface TurnServerOptions {
  readonly realm: string
  /** Advertised relay addresses, canonical text; a family left out is refused with 440. Read at every Allocate. */
  readonly relayAddresses: { readonly 4?: string | undefined; readonly 6?: string | undefined }
  readonly passwords: PasswordPolicy
  readonly quota: QuotaPolicy
  readonly peers: PeerPolicy
  readonly ports: PortPool
  /** 32 random bytes; every worker that may see the same client shares them. */
  readonly nonceKey: Uint8Array
  readonly events?: ServerEvents | undefined
  /** Where several workers may get a client's datagrams. */
  readonly flows?: FlowDirectory | undefined
  /** None by default; `SourceBudget` is what a server on the internet should have. */
  readonly budget?: ChallengeBudget | undefined
  /** Offer PASSWORD-ALGORITHMS and MESSAGE-INTEGRITY-SHA256 (RFC 8489); clients of RFC 5389 do not notice. Default true. */
  readonly passwordAlgorithms?: boolean | undefined
  /** SOFTWARE of authenticated responses; none by default. */
  readonly software?: string | undefined
  /** Whether relay sockets can set the DF bit; default false: DONT-FRAGMENT is answered with 420. */
  readonly dontFragment?: boolean | undefined
  /**
   * Whether the driver can hold a relay socket of each family for one allocation; default false:
   * ADDITIONAL-ADDRESS-FAMILY is ignored, as servers that do not know it do.
   */
  readonly dualAllocation?: boolean | undefined
  /** What allocations may relay; the data path asks `allocation.take`. No limit by default. */
  readonly bandwidth?: Bandwidth | undefined
  /**
   * Bytes of payload a second for each allocation of the app; the smaller of it and `bandwidth.perAllocation` counts. Asked
   * when an allocation is made, and for all of them when it is given anew.
   */
  readonly throttle?: ((app: string) => number | undefined) | undefined
  /** The bucket that an app's allocations share in this worker; undefined for none. Asked when `throttle` is. */
  readonly appBandwidth?: ((app: string, now: number) => TokenBucket | undefined) | undefined
  /** Payload bytes that one username may relay; beyond it 486 and no packets. No limit by default. */
  readonly credits?: CreditPolicy | undefined
  /** Default `allow`. */
  readonly credentialExpiry?: CredentialExpiry | undefined
  /** RFC 8016; off by default: MOBILITY-TICKET is ignored, as servers that do not know it do. */
  readonly mobility?: MobilityOptions | undefined
  /** RFC 6062; off by default: REQUESTED-TRANSPORT TCP draws 442. The driver must know its outputs. */
  readonly tcpRelay?: TcpRelayOptions | undefined
  /** RFC 5780; off by default: CHANGE-REQUEST, RESPONSE-PORT and PADDING draw 420, as on listeners that have no part in it. */
  readonly discovery?: Discovery | undefined
  readonly limits?: Partial<Limits> | undefined
}

/** Seconds, and counts per allocation. */
export interface Limits {
  /** Lifetime given when none is asked for, and the least given: 600. */
  readonly defaultLifetime: number
  /** The most given: 3600. */
  readonly maxLifetime: number
  /** Nonces older than this draw 438: 3600. */
  readonly nonceLifetime: number
  /** 256. Beyond it 508. */
  readonly maxPermissions: number
  /** 256. Beyond it 508. */
  readonly maxChannels: number
}

export const DEFAULT_LIMITS: Limits = {
  defaultLifetime: 600,
  maxLifetime: 3600,
  nonceLifetime: 3600,
  maxPermissions: 256,
  maxChannels: 256,
}
