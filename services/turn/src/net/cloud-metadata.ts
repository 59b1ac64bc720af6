/**
 * The public IPv4 address as the metadata service of a cloud tells it. Asked only where the firmware says which cloud this
 * is, so nothing is sent to a link-local address elsewhere. Oracle's service does not name the public address, and Hetzner
 * and DigitalOcean put it on the interface: those are left to the other detectors.
 *
 * Sources: AWS EC2 User Guide, "Use the Instance Metadata Service" (IMDSv2); Google Cloud, "VM metadata"; Microsoft,
 * "Azure Instance Metadata Service" and "Retrieve load balancer metadata"; OpenStack Nova, "Metadata service" (EC2 form).
 */
import { isIPv4 } from 'node:net'

export const METADATA_BASE = 'http://169.254.169.254'

type Ask = (path: string, headers?: Record<string, string>, method?: string) => Promise<string>

const questions: Readonly<Record<string, (ask: Ask) => Promise<string | undefined>>> = {
  async AWS(ask) {
    const token = await ask('/latest/api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }, 'PUT')
    return ask('/latest/meta-data/public-ipv4', { 'x-aws-ec2-metadata-token': token })
  },
  'Google Cloud': (ask) =>
    ask('/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip', {
      'metadata-flavor': 'Google',
    }),
  async Azure(ask) {
    const headers = { metadata: 'true' }
    const path = '/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress'
    const basic = await ask(`${path}?api-version=2021-02-01&format=text`, headers).catch(() => '')
    if (basic !== '') return basic
    // Addresses of the standard SKU are told as those of a load balancer.
    const text = await ask('/metadata/loadbalancer?api-version=2020-10-01', headers)
    return JSON.parse(text)?.loadbalancer?.publicIpAddresses?.[0]?.frontendIpAddress
  },
  OpenStack: (ask) => ask('/latest/meta-data/public-ipv4'),
}

/**
 * Undefined when the cloud has no such service, does not answer in time, or knows of no public address. Never rejects.
 * @param cloud as `Surroundings.cloud` names it
 * @param timeout milliseconds, for all questions together
 */
export async function metadataAddress(
  cloud: string,
  timeout: number,
  base: string = METADATA_BASE,
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(timeout)
  const ask: Ask = async (path, headers = {}, method = 'GET') => {
    const response = await fetch(base + path, { method, headers, signal, redirect: 'error' })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return (await response.text()).trim()
  }
  try {
    const address = await questions[cloud]?.(ask)
    return address !== undefined && isIPv4(address) ? address : undefined
  } catch {
    return undefined
  }
}
