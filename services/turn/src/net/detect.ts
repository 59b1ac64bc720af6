/**
 * Which addresses the relay listens on and advertises.
 *
 * For each address family the first of these that gives one wins:
 *   1. HAIRPIN_EXTERNAL_IP, which is then the whole list: a family it leaves out is not offered.
 *   2. IPv4 only: what the metadata service of the cloud tells that this machine belongs to.
 *   3. A global address on an interface.
 *   4. IPv4 only, when interfaces have private addresses alone: the address a STUN server sees. It is advertised when
 *      something says that it leads here: the host is a cloud machine of a kind that has its public address by 1:1 NAT, or
 *      packets sent to it from this host arrive, or HAIRPIN_TURN_HOST names it, or this is no demo (a relay on a server is
 *      there for the internet). A laptop behind a home router fails all of them: its public address would break calls
 *      within the LAN.
 *   5. IPv4 only: the global address that HAIRPIN_TURN_HOST names.
 *   6. A private address; the one of the default route first.
 *   7. Loopback.
 * Without the internet the outcome is 6 or 7, at most about three seconds later. What was chosen says why.
 */
import { type Config, ConfigError, type ExternalAddress } from '@hairpin/config'
import { canonicalAddress, familyOf } from '@hairpin/stun'
import ipaddr from 'ipaddr.js'
import type { RelayAddress, ServerAddresses } from './addresses.ts'
import type { Surroundings } from './surroundings.ts'

export type DetectedAddresses = Omit<ServerAddresses, 'port'> & {
  /** What the operator should know. */
  readonly warnings: readonly string[]
}

/** Loud, for it is the usual reason why calls to clients elsewhere fail. */
const PRIVATE = 'PRIVATE ADDRESS ADVERTISED'

type Settings = Pick<Config, 'demo'> & {
  readonly turn: Pick<Config['turn'], 'externalIps' | 'host' | 'listenIps' | 'relayPorts' | 'stunServer'>
}

/** @throws ConfigError when a configured address cannot be used. */
export async function detectAddresses(config: Settings, surroundings: Surroundings): Promise<DetectedAddresses> {
  const own = surroundings.addresses().map(canonical)
  const listen = config.turn.listenIps ? configuredListen(config.turn.listenIps, own) : own.filter(isListenable)
  if (listen.length === 0)
    throw new ConfigError('HAIRPIN_LISTEN_IPS', 'this host has no address that the relay could listen on')

  const warnings: string[] = []
  const relay: RelayAddress[] = []
  for (const family of [4, 6] as const) {
    const candidates = listen.filter((address) => familyOf(address) === family)
    const address = config.turn.externalIps
      ? await configured(config.turn.externalIps, family, own, candidates, surroundings, warnings)
      : await detected(config, family, candidates, surroundings, warnings)
    if (address) relay.push(address)
  }
  if (relay.length === 0) throw new ConfigError('HAIRPIN_EXTERNAL_IP', 'no address was found that could be advertised')
  // An IPv6 address of the LAN beside a public IPv4 one, or ::1 beside one of the LAN, helps nobody.
  const reach = reachOf(relay[0]!)
  for (const { family, external, source } of relay) {
    const hasPublic = own.some((address) => familyOf(address) === family && isGlobal(address))
    const isDoubtful = hasPublic || (source === 'configured' && !config.demo)
    if (isDoubtful && !isGlobal(external) && !isLoopback(external))
      warnings.push(`${PRIVATE}: ${external} is of no use to clients elsewhere; set HAIRPIN_EXTERNAL_IP`)
  }
  return { listen, relay: relay.filter((address) => reachOf(address) >= reach), own, warnings }
}

/** How far away an address is of use: 0 on this host, 1 in its network, 2 everywhere. */
export function reachOf({ source }: RelayAddress): number {
  return source === 'loopback' ? 0 : source === 'private' ? 1 : 2
}

/** The wildcard addresses stand for all addresses of their family. */
function configuredListen(listenIps: readonly string[], own: readonly string[]): string[] {
  const listen = listenIps.map(canonical).flatMap((address) => {
    const isWildcard = address === '0.0.0.0' || address === '::'
    return isWildcard ? own.filter((a) => familyOf(a) === familyOf(address) && isListenable(a)) : [address]
  })
  const foreign = listen.find((address) => !own.includes(address) && !isLoopback(address))
  if (foreign !== undefined) throw new ConfigError('HAIRPIN_LISTEN_IPS', `${foreign} is not an address of this host`)
  return [...new Set(listen)]
}

async function configured(
  externalIps: readonly ExternalAddress[],
  family: 4 | 6,
  own: readonly string[],
  candidates: readonly string[],
  surroundings: Surroundings,
  warnings: string[],
): Promise<RelayAddress | undefined> {
  const [wanted, ...more] = externalIps.filter((address) => familyOf(address.public) === family)
  if (!wanted) return undefined
  if (more.length > 0) warnings.push(`HAIRPIN_EXTERNAL_IP: only the first IPv${family} address is used`)
  const external = canonical(wanted.public)
  const inside = wanted.local === undefined ? undefined : canonical(wanted.local)
  if (inside !== undefined && !own.includes(inside) && !isLoopback(inside))
    throw new ConfigError('HAIRPIN_EXTERNAL_IP', `${inside} is not an address of this host`)
  const local =
    inside ??
    (own.includes(external) || isLoopback(external) ? external : await preferred(family, candidates, surroundings))
  if (local === undefined)
    throw new ConfigError('HAIRPIN_EXTERNAL_IP', `this host has no IPv${family} address to relay ${external} from`)
  const why = local === external ? 'set by HAIRPIN_EXTERNAL_IP' : `set by HAIRPIN_EXTERNAL_IP, bound to ${local}`
  return { family, external, local, source: 'configured', why }
}

async function detected(
  config: Settings,
  family: 4 | 6,
  candidates: readonly string[],
  surroundings: Surroundings,
  warnings: string[],
): Promise<RelayAddress | undefined> {
  const told = family === 4 ? await ofCloud(candidates, surroundings) : undefined
  if (told) return told
  const global = await preferred(family, candidates.filter(isGlobal), surroundings)
  if (global !== undefined)
    return { family, external: global, local: global, source: 'interface', why: 'a global address of this host' }

  const local = await preferred(
    family,
    candidates.filter((address) => !isLoopback(address)),
    surroundings,
  )
  if (local === undefined) {
    const loopback = candidates[0]
    if (loopback === undefined) return undefined
    const why = 'there is no other address: only programs on this host can be relayed to'
    return { family, external: loopback, local: loopback, source: 'loopback', why }
  }
  const viaStun = family === 4 ? await mapped(config, local, surroundings, warnings) : undefined
  return viaStun ?? { family, external: local, local, source: 'private', why: 'an address of the local network' }
}

/** Asked where the public address is not on an interface anyway. */
async function ofCloud(candidates: readonly string[], surroundings: Surroundings): Promise<RelayAddress | undefined> {
  const cloud = surroundings.cloud()
  const inside = candidates.filter((address) => !isLoopback(address))
  if (cloud === undefined || inside.length === 0 || inside.some(isGlobal)) return undefined
  const told = await surroundings.metadata(cloud)
  const external = told === undefined ? undefined : canonical(told)
  const local = await preferred(4, inside, surroundings)
  if (external === undefined || local === undefined || !isGlobal(external)) return undefined
  return { family: 4, external, local, source: 'cloud', why: `told by ${cloud}, which maps it to ${local}` }
}

async function mapped(
  config: Settings,
  local: string,
  surroundings: Surroundings,
  warnings: string[],
): Promise<RelayAddress | undefined> {
  const { stunServer, relayPorts, host } = config.turn
  const named = host === undefined ? undefined : await surroundings.resolve(host, 4)
  const seen = stunServer === undefined ? undefined : await surroundings.mappedAddress(stunServer, local)
  const outside = seen === undefined ? undefined : canonical(seen)
  if (outside === undefined || outside === local || !isGlobal(outside)) {
    if (named !== undefined && isGlobal(named)) {
      warnings.push(`${named} is advertised because ${host} names it; nothing proves that it leads to ${local}`)
      return { family: 4, external: named, local, source: 'dns', why: `named by ${host}` }
    }
    if (!config.demo)
      warnings.push(
        `${PRIVATE}: no public address found; the relay can be reached within the network of ${local} only; set HAIRPIN_EXTERNAL_IP`,
      )
    return undefined
  }
  const base = `seen by ${stunServer}`
  const found = (why: string): RelayAddress => ({
    family: 4,
    external: outside,
    local,
    source: 'stun',
    why: `${base}; ${why}`,
  })
  const cloud = surroundings.cloud()
  if (cloud !== undefined) return found(`${cloud} maps it to ${local}`)
  if (await surroundings.reaches(outside, local, relayPorts)) return found(`packets sent to it arrive at ${local}`)
  if (named === outside) return found(`${host} names it`)
  if (!config.demo) {
    warnings.push(
      `${outside} is advertised although nothing proves that it leads to ${local}: forward the relay's UDP ports to it, or set HAIRPIN_EXTERNAL_IP`,
    )
    return found('not proven to lead here')
  }
  warnings.push(
    `the internet sees this host as ${outside}, but nothing proves that packets to it arrive here, so ${local} is advertised; set HAIRPIN_EXTERNAL_IP=${outside}/${local} if your router forwards the relay's UDP ports`,
  )
  return undefined
}

/** Of several addresses the one the kernel itself would send from. */
async function preferred(
  family: 4 | 6,
  candidates: readonly string[],
  surroundings: Surroundings,
): Promise<string | undefined> {
  if (candidates.length < 2) return candidates[0]
  const source = await surroundings.defaultSource(family)
  return source !== undefined && candidates.includes(canonical(source)) ? canonical(source) : candidates[0]
}

function canonical(address: string): string {
  return canonicalAddress(address) ?? address
}

function rangeOf(address: string): string {
  return ipaddr.parse(address).range()
}

function isGlobal(address: string): boolean {
  return rangeOf(address) === 'unicast'
}

function isLoopback(address: string): boolean {
  return rangeOf(address) === 'loopback'
}

/** Link-local addresses are meaningless without their interface. */
function isListenable(address: string): boolean {
  return rangeOf(address) !== 'linkLocal'
}
