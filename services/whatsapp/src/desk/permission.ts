import type { DeskBody } from '@hairpin/desk'
import type { PermissionUpdate } from '../core/updates.ts'
import type { CallPermission } from '../graph/client.ts'

const statuses = { no_permission: 'none', temporary: 'temporary', permanent: 'permanent' } as const

/** Meta's answer to the question whether a customer may be called. */
export function permissionBody(number: string, permission: CallPermission): DeskBody {
  const { status, mayCall, mayCallAt, expiresAt } = permission
  return {
    type: 'call-permission',
    number,
    status: statuses[status],
    mayCall,
    ...(mayCallAt === undefined ? {} : { mayCallAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** The customer was asked: nothing is allowed until the reply comes. */
export function requestedBody(number: string): DeskBody {
  return { type: 'call-permission', number, status: 'none', mayCall: false, event: 'requested' }
}

export function repliedBody({ number, granted, permanent, expiresAt }: PermissionUpdate): DeskBody {
  return {
    type: 'call-permission',
    number,
    status: granted ? (permanent ? 'permanent' : 'temporary') : 'none',
    mayCall: granted,
    ...(granted && expiresAt !== undefined ? { expiresAt } : {}),
    event: granted ? 'accepted' : 'rejected',
  }
}
