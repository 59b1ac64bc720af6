import { type Static, Type } from 'typebox'
import { Seq } from '../fields.ts'

const number = Type.String({ pattern: '^[+\\d][\\d ()-]{4,30}$' })

/** Client → server: may this customer be called? With `request`, the customer is asked in a message first. */
export const ClientCallPermission = Type.Object({
  type: Type.Literal('call-permission'),
  number,
  request: Type.Optional(Type.Boolean()),
})
export type ClientCallPermission = Static<typeof ClientCallPermission>

/** Server → the device that asked; and to all agents when a customer gave or refused the permission. */
export const ServerCallPermission = Type.Object({
  type: Type.Literal('call-permission'),
  /** Digits. */
  number: Type.String(),
  status: Type.Union([Type.Literal('none'), Type.Literal('temporary'), Type.Literal('permanent')]),
  mayCall: Type.Boolean(),
  /** ms since 1970: when a call is possible again, and when a temporary permission ends. */
  mayCallAt: Type.Optional(Type.Number()),
  expiresAt: Type.Optional(Type.Number()),
  /** The customer has been asked, or has answered. */
  event: Type.Optional(Type.Union([Type.Literal('requested'), Type.Literal('accepted'), Type.Literal('rejected')])),
  seq: Seq,
})
export type ServerCallPermission = Static<typeof ServerCallPermission>
