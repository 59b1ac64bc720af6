import type { Call, CallRequest } from './call.ts'

/** What is to be sent next of a call; undefined while something is under way, or awaited of somebody else. */
export function nextRequest(call: Call): CallRequest | undefined {
  if (call.request) return undefined
  if (call.ending) return farewell(call)
  const { key, id, sdp, number } = call
  if (sdp === undefined) return undefined
  if (call.direction === 'business') return id === undefined ? { action: 'connect', number: number!, sdp } : undefined
  if (!call.preAccepted) return { action: 'pre_accept', id: key, sdp }
  return call.agent !== undefined && !call.acceptSent ? { action: 'accept', id: key, sdp } : undefined
}

/** Tells Meta that the call is over, unless it knows, or never knew of the call. */
function farewell({ id, direction, overAtMeta, acceptSent }: Call): CallRequest | undefined {
  if (overAtMeta || id === undefined) return undefined
  return { action: direction === 'user' && !acceptSent ? 'reject' : 'terminate', id }
}
