import { networkInterfaces } from 'node:os'
import { type Config, ConfigError, type WhatsappConfig } from '@hairpin/config'
import type { IceServersSource } from '@hairpin/ice-servers'
import type { NewLeg } from './media/leg.ts'

export interface OpenMediaOptions {
  readonly config: Pick<Config, 'turn' | 'desk'> & { readonly whatsapp: Pick<WhatsappConfig, 'media'> }
  readonly iceServers: IceServersSource
  readonly logger: { warn(fields: object, message: string): void }
}

/** Users that the agents' legs take credentials of the relay for: each may have as many allocations as HAIRPIN_USER_QUOTA. */
const RELAY_USERS = 100

/**
 * Media as the configuration wants it. The native module is loaded here, by those who use it.
 * @throws ConfigError for an address that is not this machine's, and where the module does not load
 */
export async function openMedia({ config, iceServers, logger }: OpenMediaOptions): Promise<NewLeg> {
  const { ports, address } = config.whatsapp.media
  const bindAddress = address && (address.local ?? address.public)
  if (bindAddress !== undefined && !isLocal(bindAddress))
    throw new ConfigError('HAIRPIN_WHATSAPP_MEDIA_IP', `${bindAddress} is not an address of this machine`)
  const nativeLegs = await load()
  // Behind 1:1 NAT; of the relay's addresses when there is none for this.
  const mapped = address ?? config.turn.externalIps?.find(({ public: ip, local }) => local && !ip.includes(':'))
  let count = 0
  return nativeLegs({
    ports: [ports.min, ports.max],
    ...(bindAddress === undefined ? {} : { bindAddress }),
    ...(mapped?.local === undefined ? {} : { publicAddress: mapped.public }),
    iceServers: async () => {
      const user = `whatsapp-${count++ % RELAY_USERS}`
      return (await iceServers.iceServersFor({ app: config.desk.app, user })).iceServers
    },
    onFault: (err) => logger.warn({ code: 'WHATSAPP_NO_RELAY', err }, 'an agent’s leg goes without the relay'),
  })
}

async function load() {
  try {
    return (await import('./media/native-leg.ts')).nativeLegs
  } catch (error) {
    const advice = 'HAIRPIN_WHATSAPP_MODE=direct needs none'
    throw new ConfigError('HAIRPIN_WHATSAPP_MODE', `no media on this machine: ${(error as Error).message}; ${advice}`)
  }
}

function isLocal(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address === address))
}
