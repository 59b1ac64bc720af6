import type { DeskRequest } from '@hairpin/desk'
import { clientSchemas } from '@hairpin/protocol'
import { requestObjection } from '../core/agents.ts'
import type { Handler } from './handler.ts'

/** What an agent asks of the service that brings customers' calls, whose answer comes by `deskTold`. */
export function forDesk<T extends DeskRequest['type']>(type: T, cost: number): Handler<T> {
  const fields = Object.keys(clientSchemas[type].properties)
  return {
    cost,
    handle(hub, session, message) {
      const request = withFields(message, fields) as unknown as DeskRequest
      const code = requestObjection(hub, session, request)
      if (code === undefined) {
        const { id: device, name: agent } = session
        hub.outbound.push({ do: 'desk', act: 'request', agent, device, request: addressed(request, session.realm) })
      } else hub.refuse(session, code, type, undefined, 'callId' in request ? request.callId : undefined)
    },
  }
}

/** Without what a client added that the protocol does not know. */
function withFields(message: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(message).filter(([field]) => fields.includes(field)))
}

/** Agents are known to the service by their names as the server has them. */
function addressed(request: DeskRequest, realm: { find(name: string): { readonly name: string } | undefined }) {
  return request.type === 'call-transfer' ? { ...request, to: realm.find(request.to)?.name ?? request.to } : request
}
