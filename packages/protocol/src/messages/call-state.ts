import { type Static, Type } from 'typebox'
import { CallId, Seq } from '../fields.ts'

/**
 * Server → the devices of a call's agent: where it stands. `calling`: Meta is asked; `ringing` and `answered`: of the
 * customer's phone, as Meta says; `connected`: Meta took our answer to a customer's call. After the agent was gone the present
 * state comes with `resumed`: the device connects itself anew by `browser-offer`.
 */
export const ServerCallState = Type.Object({
  type: Type.Literal('call-state'),
  callId: CallId,
  state: Type.Union([
    Type.Literal('calling'),
    Type.Literal('ringing'),
    Type.Literal('answered'),
    Type.Literal('connected'),
  ]),
  direction: Type.Union([Type.Literal('user'), Type.Literal('business')]),
  callerName: Type.Optional(Type.String()),
  callerNumber: Type.Optional(Type.String()),
  /** ms since 1970; absent: nobody has answered yet. */
  answeredAt: Type.Optional(Type.Number()),
  held: Type.Boolean(),
  resumed: Type.Boolean(),
  seq: Seq,
})
export type ServerCallState = Static<typeof ServerCallState>
