import type { IceServer } from '@hairpin/protocol'

export interface IceServersRequest {
  /** Whose account the relayed bytes go to. */
  readonly app: string
  readonly user: string
}

export interface IceServersAnswer {
  readonly iceServers: IceServer[]
  /** Seconds. */
  readonly ttl: number
  readonly expiresAt: string | number
}

/** Where clients' `iceServers` come from: the credentials service in the same process, or its API (`HttpIceServers`). */
export interface IceServersSource {
  iceServersFor(request: IceServersRequest): Promise<IceServersAnswer>
}
