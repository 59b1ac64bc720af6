import { render } from 'preact'
import { App } from './app.tsx'
import { AgentSession } from './state/session.ts'

const session = new AgentSession(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`)

declare global {
  interface Window {
    /** For tests and the curious: the running call's own peer connection, and the way out. */
    hairpinAgent: {
      readonly peerConnection: RTCPeerConnection | undefined
      leave(): void
    }
  }
}

window.hairpinAgent = {
  get peerConnection() {
    return session.view.call?.peerConnection
  },
  leave: () => session.leave(),
}

const container = document.getElementById('app')
session.begin()
if (container) render(<App session={session} />, container)
