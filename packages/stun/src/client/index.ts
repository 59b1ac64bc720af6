export { TurnClient } from './turn-client.ts'
export type * from './types.ts'
