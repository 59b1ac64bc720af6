import { render } from 'preact'
import { App } from './app.tsx'
import { Session } from './state/session.ts'

const session = new Session(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`)

declare global {
  interface Window {
    /** For tests and the curious: the running call's own peer connection, and the way out. */
    hairpin: {
      readonly peerConnection: RTCPeerConnection | undefined
      /** Of the room: one for each of the others. */
      readonly peerConnections: readonly RTCPeerConnection[]
      leave(): void
    }
  }
}

window.hairpin = {
  get peerConnection() {
    return session.client.currentCall?.peerConnection
  },
  get peerConnections() {
    return session.client.room?.members.map((member) => member.peerConnection) ?? []
  },
  leave: () => session.leave(),
}

const container = document.getElementById('app')
session.begin()
if (container) render(<App session={session} />, container)
