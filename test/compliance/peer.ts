/** A peer: a UDP socket on an address that the relay under test may reach. */
import type { Socket } from 'node:dgram'
import { type Endpoint, familyOf } from '@hairpin/stun'
import { bindUdp } from '../../services/turn/src/net/udp-socket.ts'

export interface Heard {
  readonly payload: string
  readonly from: { readonly address: string; readonly port: number }
}

export class Peer {
  readonly endpoint: Endpoint
  readonly #socket: Socket
  readonly #patience: number
  readonly #inbox: Heard[] = []
  #wake: (() => void) | undefined

  constructor(address: string, patience: number) {
    const family = familyOf(address)
    this.#patience = patience
    this.#socket = bindUdp({ address, port: 0, family })
    this.endpoint = { address, port: this.#socket.address().port, family }
    this.#socket.on('message', (bytes, { address: source, port }) => {
      this.#inbox.push({ payload: bytes.toString(), from: { address: source, port } })
      this.#wake?.()
    })
  }

  send(to: Endpoint, payload: string): void {
    this.#socket.send(payload, to.port, to.address)
  }

  /** What came, in order. */
  async receive(): Promise<Heard> {
    const end = performance.now() + this.#patience
    while (this.#inbox.length === 0) {
      const left = end - performance.now()
      if (left <= 0) throw new Error('the peer heard nothing')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return this.#inbox.shift()!
  }

  close(): void {
    this.#socket.close()
  }
}
