import { type Static, Type } from 'typebox'
import { PushEndpoint } from '../fields.ts'

/** Client → server: wake this device by a push when a call comes and no device of its user is connected. */
export const ClientPushRegister = Type.Object({ type: Type.Literal('push-register'), endpoint: PushEndpoint })
export type ClientPushRegister = Static<typeof ClientPushRegister>
