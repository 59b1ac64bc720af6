import type { Place, Step } from '../types.ts'
import { certificate, turnsCertificate } from './certificate.ts'
import { clock } from './clock.ts'
import { apiCredentialsOfNode, apiCredentialsOfPage, guestCredentials } from './credentials.ts'
import { ipv6 } from './ipv6.ts'
import { loop } from './loop.ts'
import { microphone, page } from './page.ts'
import { ports } from './ports.ts'
import { server } from './server.ts'
import { nat, stun } from './stun.ts'
import { turnTcp, turnTls, turnUdp } from './turn.ts'
import { websocketOfNode, websocketOfPage } from './websocket.ts'

/** The steps in their order. @param source where credentials come from: as a guest over the socket, or by the HTTP API */
export function stepsFor(place: Place, source: 'guest' | 'api'): Step[] {
  const ofNode = place === 'node'
  const api = ofNode ? apiCredentialsOfNode : apiCredentialsOfPage
  const steps = [
    page,
    microphone,
    server,
    certificate,
    ofNode ? websocketOfNode : websocketOfPage,
    source === 'guest' ? guestCredentials : api,
    clock,
    stun,
    nat,
    turnUdp,
    turnTcp,
    turnTls,
    turnsCertificate,
    ipv6,
    loop,
    ports,
  ]
  return steps.filter((step) => step.on.includes(place))
}
