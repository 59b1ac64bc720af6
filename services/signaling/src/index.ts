/** The signaling service: plugins for an application, and where its clients' relay credentials come from. */
export { HttpIceServers, type HttpIceServersOptions } from './http-ice-servers.ts'
export type { IceServersAnswer, IceServersRequest, IceServersSource } from './ice-servers.ts'
export { type SignalingOptions, signalingPlugin } from './plugins/signaling.ts'
export { type WebOptions, webPlugin } from './plugins/web.ts'
export { openPushGateway, type PushGateway } from './push/gateway.ts'
