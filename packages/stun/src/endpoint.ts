/** A transport address. `address` is canonical text: what Node's `rinfo.address` prints (see address.ts). */
export interface Endpoint {
  readonly address: string
  readonly port: number
  readonly family: 4 | 6
}
