import { type Static, Type } from 'typebox'
import { CallId, Sdp } from '../fields.ts'

/**
 * Client → server: takes a call that rings here, or connects this device to a call that is its agent's already, as after a
 * reload. The SDP has all candidates that are to be used: none follow. `browser-answer`, `answered-elsewhere` or an error follows.
 */
export const ClientBrowserOffer = Type.Object({
  type: Type.Literal('browser-offer'),
  callId: CallId,
  sdp: Sdp,
})
export type ClientBrowserOffer = Static<typeof ClientBrowserOffer>
