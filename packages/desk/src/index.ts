/** How signaling and a service that brings customers' calls to agents talk: in one process, or over a WebSocket. */
export type { Desk, DeskBody, DeskEvents, DeskRequest, Recipients } from './desk.ts'
