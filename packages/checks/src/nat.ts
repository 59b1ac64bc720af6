/** What Bindings tell of a NAT: RFC 5780 section 4.3, RFC 4787 section 4.1. */
import { addressOf, isLoopback } from './addresses.ts'

/** What one server said, or did not. Endpoints are `address:port`. */
export interface BindingAnswer {
  readonly url: string
  readonly server?: string
  /** Of the socket; undefined where a browser hides it. */
  readonly local?: string
  readonly mapped?: string
  readonly ms?: number
  /** Nothing came back, or an error. */
  readonly problem?: string
}

export interface Nat {
  readonly mapping:
    | 'none'
    | 'endpoint-independent'
    /** The same for two ports of one address; of another address nothing is known. */
    | 'not-port-dependent'
    | 'address-dependent'
    | 'address-and-port-dependent'
    /** By address or by port. */
    | 'dependent'
    | 'unknown'
  readonly filtering?: 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'
  /** How many destinations were asked from one local port. */
  readonly destinations: number
}

/** By the local port that was asked from most; a browser's answers of which the port is hidden count as of one. */
export function natOf(answers: readonly BindingAnswer[], filtering?: Nat['filtering']): Nat {
  const heard = answers.filter(({ problem }) => problem === undefined)
  // A browser makes no candidate of an address that is its own.
  if (heard.length > 0 && heard.every(({ mapped }) => mapped === undefined))
    return { mapping: 'none', destinations: heard.length }
  const byLocal = groupsOf(
    answers.filter(({ mapped }) => mapped !== undefined),
    ({ local, mapped }) => local ?? (mapped?.startsWith('[') ? 'IPv6' : 'IPv4'),
  )
  const groups = [...byLocal.values()].map((group) => mappingOf(group))
  const best = groups.sort((a, b) => b.destinations - a.destinations)[0] ?? { mapping: 'unknown', destinations: 0 }
  return { ...best, ...(filtering === undefined || best.mapping === 'none' ? {} : { filtering }) }
}

function mappingOf(answers: readonly BindingAnswer[]): Nat {
  const destinations = new Set(answers.map(serverOf)).size
  const asItIs = ({ mapped = '', local }: BindingAnswer) => mapped === local || isLoopback(addressOf(mapped))
  if (answers.some(asItIs)) return { mapping: 'none', destinations }
  // Where one server saw several, they were of several sockets, and nothing can be compared.
  const several = [...groupsOf(answers, serverOf).values()].some((group) => distinct(group) > 1)
  if (destinations < 2 || several) return { mapping: 'unknown', destinations }
  const addresses = groupsOf(answers, (answer) => addressOf(serverOf(answer)))
  if (distinct(answers) === 1)
    return { mapping: addresses.size > 1 ? 'endpoint-independent' : 'not-port-dependent', destinations }
  const withinAddress = [...addresses.values()].filter((group) => new Set(group.map(serverOf)).size > 1)
  if (withinAddress.some((group) => distinct(group) > 1)) return { mapping: 'address-and-port-dependent', destinations }
  return { mapping: withinAddress.length > 0 ? 'address-dependent' : 'dependent', destinations }
}

function serverOf({ server, url }: BindingAnswer): string {
  return server ?? url
}

/** Outside addresses. */
function distinct(answers: readonly BindingAnswer[]): number {
  return new Set(answers.map(({ mapped }) => mapped)).size
}

function groupsOf<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
