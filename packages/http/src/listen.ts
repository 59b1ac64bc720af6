import { chmodSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** A Unix socket to listen on instead; what a killed predecessor left at that path is removed. */
  readonly socket?: string
}

/** Starts listening and gives the address in words. A path with a live listener is never taken over. */
// biome-ignore lint/suspicious/noExplicitAny: an application of any Fastify type can listen
export async function listen(app: FastifyInstance<any, any, any, any, any>, options: ListenOptions): Promise<string> {
  if (options.socket === undefined) return app.listen({ host: options.host, port: options.port })
  if (await answers(options.socket)) throw new Error(`${options.socket}: another process listens there`)
  rmSync(options.socket, { force: true })
  await app.listen({ path: options.socket })
  // The proxy runs as another user of the same group; the folder that holds the socket says who gets in.
  chmodSync(options.socket, 0o660)
  return `unix:${options.socket}`
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
