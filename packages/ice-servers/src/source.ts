export interface IceServersRequest {
  /** Whose account the relayed bytes go to. */
  readonly app: string
  readonly user: string
}

export interface IceServersAnswer {
  /** Entries of `RTCConfiguration.iceServers`. */
  readonly iceServers: readonly {
    readonly urls: readonly string[]
    readonly username?: string
    readonly credential?: string
  }[]
  /** Seconds. */
  readonly ttl: number
  /** ISO 8601. */
  readonly expiresAt: string
}

/** Where clients' `iceServers` come from: the credentials service in the same process, or its API (`HttpIceServers`). */
export interface IceServersSource {
  iceServersFor(request: IceServersRequest): IceServersAnswer | Promise<IceServersAnswer>
}
