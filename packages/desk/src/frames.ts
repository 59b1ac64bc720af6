/**
 * What goes over a link between signaling and a service with calls: JSON, one object per text frame. Signaling connects,
 * and begins with `hello`; the service answers with its own. Both are this program, so an unknown version is an upgrade that
 * the other side has not had yet.
 */
import { agentRequests, clientSchemas, serverSchemas } from '@hairpin/protocol'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { bodyTypes, type DeskBody, type DeskRequest } from './desk.ts'

export const version = 1
export const path = '/desk'

/** A client's frame of 64 KiB within one of ours. */
export const maxFrameBytes = 128 * 1024

/** Why a link is closed, besides those of RFC 6455. */
export const linkCodes = {
  /** No `hello`, or one of another version. */
  version: 4406,
  /** The same process has another link by now. */
  replaced: 4409,
  /** The service is not up: all that it was told is forgotten. */
  down: 4503,
} as const

const Name = Type.String({ minLength: 1, maxLength: 1024 })
const Device = Type.String({ minLength: 1, maxLength: 128 })

const Request = Type.Unsafe<DeskRequest>(Type.Union(agentRequests.map((type) => clientSchemas[type])))
const Body = Type.Unsafe<DeskBody>(Type.Union(bodyTypes.map((type) => Type.Omit(serverSchemas[type], ['seq']))))

const FromSignaling = Type.Union([
  /** `from`: unique to the process that connects; its newest link counts. */
  Type.Object({ type: Type.Literal('hello'), version: Type.Integer(), from: Device }),
  Type.Object({
    type: Type.Union([Type.Literal('arrive'), Type.Literal('appear'), Type.Literal('disappear')]),
    agent: Name,
    device: Device,
  }),
  Type.Object({ type: Type.Literal('leave'), agent: Name }),
  Type.Object({ type: Type.Literal('request'), agent: Name, device: Device, request: Request }),
])
export type FromSignaling = Static<typeof FromSignaling>

const FromService = Type.Union([
  Type.Object({ type: Type.Literal('hello'), version: Type.Integer() }),
  /** The service wants `arrive` for everyone who is here. Once on a link, which ends when the service is down. */
  Type.Object({ type: Type.Literal('up') }),
  Type.Object({
    type: Type.Literal('tell'),
    agent: Name,
    devices: Type.Union([
      Type.Literal('all'),
      Type.Object({ only: Device }, { additionalProperties: false }),
      Type.Object({ except: Device }, { additionalProperties: false }),
    ]),
    body: Body,
  }),
])
export type FromService = Static<typeof FromService>

const fromSignaling = Compile(FromSignaling)
const fromService = Compile(FromService)

/** Undefined: not one that this version knows. Never throws. */
export function readFromSignaling(text: string): FromSignaling | undefined {
  const value = parse(text)
  return fromSignaling.Check(value) ? (value as FromSignaling) : undefined
}

/** Undefined: not one that this version knows. Never throws. */
export function readFromService(text: string): FromService | undefined {
  const value = parse(text)
  return fromService.Check(value) ? (value as FromService) : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
