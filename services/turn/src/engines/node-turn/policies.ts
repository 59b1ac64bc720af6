import { createPeerPolicy, type Principal, type QuotaPolicy } from '../../core/index.ts'
import { timeLimitedPasswords } from '../../credentials/password-policy.ts'
import type { EngineOptions } from '../../engine.ts'
import type { RepairPolicies } from './repairs.ts'

export function policiesOf({ config, addresses, secrets }: EngineOptions): RepairPolicies {
  const relayAddresses = addresses.relay.flatMap(({ external, local }) => [external, local])
  return {
    passwords: timeLimitedPasswords(secrets.turnSecrets),
    quota: new Quota(config.turn.userQuota, config.turn.totalQuota),
    peers: createPeerPolicy({
      ...(config.turn.peerDeny.length > 0 && { deny: config.turn.peerDeny }),
      allow: config.turn.peerAllow,
      relayAddresses,
      hostAddresses: addresses.own.filter((address) => !relayAddresses.includes(address)),
    }),
  }
}

/** Allocations per user and in all, of one process; 0 = no limit. */
class Quota implements QuotaPolicy {
  readonly #perUser: number
  readonly #total: number
  readonly #held = new Map<string, number>()
  #sum = 0

  constructor(perUser: number, total: number) {
    this.#perUser = perUser
    this.#total = total
  }

  acquire({ app, user }: Principal): boolean {
    const held = this.#held.get(`${app}/${user}`) ?? 0
    if ((this.#perUser > 0 && held >= this.#perUser) || (this.#total > 0 && this.#sum >= this.#total)) return false
    this.#held.set(`${app}/${user}`, held + 1)
    this.#sum++
    return true
  }

  release({ app, user }: Principal): void {
    const held = this.#held.get(`${app}/${user}`) ?? 0
    if (held > 1) this.#held.set(`${app}/${user}`, held - 1)
    else this.#held.delete(`${app}/${user}`)
    this.#sum--
  }
}
