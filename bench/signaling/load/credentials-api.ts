/** Stands for the relay's credentials API, which every join asks: one answer for all. */
import { createServer } from 'node:http'
import { nextAddress } from '../../contenders/contender.ts'

const PORT = 8081
const answer = JSON.stringify({
  iceServers: [
    { urls: ['stun:127.0.0.1:3478'] },
    {
      urls: ['turn:127.0.0.1:3478?transport=udp', 'turn:127.0.0.1:3478?transport=tcp'],
      username: '1700000000:app/user',
      credential: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    },
  ],
  ttl: 86_400,
  expiresAt: '2030-01-01T00:00:00.000Z',
})

let url: string | undefined

/** Its URL; it listens as long as this process lives. */
export function credentialsApi(): string {
  if (url === undefined) {
    const address = nextAddress()
    const server = createServer((request, response) => {
      request.resume()
      response.writeHead(201, { 'content-type': 'application/json' }).end(answer)
    })
    server.listen(PORT, address).unref()
    url = `http://${address}:${PORT}`
  }
  return url
}
