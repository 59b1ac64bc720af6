import { type Static, Type } from 'typebox'
import { PushAddress } from '../fields.ts'

/** Client → server: no more pushes there. Without effect when it is not an endpoint of this user. */
export const ClientPushUnregister = Type.Object({ type: Type.Literal('push-unregister'), address: PushAddress })
export type ClientPushUnregister = Static<typeof ClientPushUnregister>
