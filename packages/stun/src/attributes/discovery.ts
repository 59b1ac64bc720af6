/** Attributes of NAT behaviour discovery: RFC 5780 section 7. */

/** CHANGE-REQUEST: from another address, another port, or both, the answer is to come. */
export interface ChangeRequest {
  readonly address: boolean
  readonly port: boolean
}

export function decodeChangeRequest(value: Uint8Array): ChangeRequest | undefined {
  if (value.length !== 4) return undefined
  return { address: (value[3]! & 4) !== 0, port: (value[3]! & 2) !== 0 }
}

export function encodeChangeRequest({ address, port }: ChangeRequest): Uint8Array {
  return Uint8Array.of(0, 0, 0, (address ? 4 : 0) | (port ? 2 : 0))
}

/** RESPONSE-PORT: 16 bits, with two bytes of padding that some count in and some do not. Port 0 cannot be answered. */
export function decodeResponsePort(value: Uint8Array): number | undefined {
  if (value.length !== 2 && value.length !== 4) return undefined
  const port = (value[0]! << 8) | value[1]!
  return port === 0 ? undefined : port
}

export function encodeResponsePort(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port, 0, 0)
}
