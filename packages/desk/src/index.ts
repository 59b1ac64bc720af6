/** How signaling and a service that brings customers' calls to agents talk: in one process, or over a WebSocket. */
export { type RemoteDesk, type RemoteDeskOptions, remoteDesk } from './client.ts'
export type { Desk, DeskBody, DeskEvents, DeskRequest, Recipients } from './desk.ts'
export type { LinkLog, LinkTimes } from './link.ts'
export { type DeskServer, type ServeDeskOptions, serveDesk } from './server.ts'
