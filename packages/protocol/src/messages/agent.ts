import { type Static, Type } from 'typebox'
import { Name, Seq } from '../fields.ts'

/** Client → server: this device takes customers' calls from now on, or no more. It needs the agent's role. */
export const ClientAgent = Type.Object({ type: Type.Literal('agent'), available: Type.Boolean() })
export type ClientAgent = Static<typeof ClientAgent>

/** Server → the agents' devices: whether this one takes calls, how calls reach it, and who else is here. Sent again after changes. */
export const ServerAgent = Type.Object({
  type: Type.Literal('agent'),
  available: Type.Boolean(),
  /** `direct`: the browser itself answers the customer's SDP; see docs/WHATSAPP.md. */
  mode: Type.Union([Type.Literal('bridge'), Type.Literal('direct')]),
  /** Agents that are here, this one included; `free`: in no call. */
  agents: Type.Array(Type.Object({ name: Name, free: Type.Boolean() })),
  seq: Seq,
})
export type ServerAgent = Static<typeof ServerAgent>
