/** Where services get relay credentials for their clients: from the relay in the same process, or by its API. */
export { HttpIceServers, type HttpIceServersOptions } from './http.ts'
export type { IceServersAnswer, IceServersRequest, IceServersSource } from './source.ts'
