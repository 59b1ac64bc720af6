import { render } from 'preact'
import { App } from './app.tsx'
import { AgentSession } from './state/session.ts'

const session = new AgentSession(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`)

const container = document.getElementById('app')
session.begin()
if (container) render(<App session={session} />, container)
