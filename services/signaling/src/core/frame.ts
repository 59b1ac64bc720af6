import type { SignalingErrorCode } from '@hairpin/protocol'

/** A JSON object with a type; nothing else about it is known yet. */
export type Incoming = { readonly type: string; readonly [field: string]: unknown }

const maxTypeLength = 64
/** Deeper values serve nobody, and very deep ones would break the recursion of JSON.stringify. */
const maxDepth = 16

/** Reads one frame; gives the error's code when it is not a message. Never throws. */
export function parseMessage(text: string | undefined): Incoming | SignalingErrorCode {
  if (text === undefined) return 'SIG_BAD_JSON'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'SIG_BAD_JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'SIG_BAD_JSON'
  const type = 'type' in value ? value.type : undefined
  if (typeof type !== 'string' || type === '' || type.length > maxTypeLength) return 'SIG_BAD_MESSAGE'
  return isDeeper(value, maxDepth) ? 'SIG_BAD_MESSAGE' : (value as Incoming)
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const key in value) if (isDeeper((value as Record<string, unknown>)[key], depth - 1)) return true
  return false
}
