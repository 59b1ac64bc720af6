/** The signaling service: plugins for an application, and where its clients' relay credentials come from. */
export { type SignalingOptions, signalingPlugin } from './plugins/signaling.ts'
export { type WebOptions, webPlugin } from './plugins/web.ts'
export { openPushGateway, type PushGateway } from './push/gateway.ts'
