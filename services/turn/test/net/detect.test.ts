import { type Environment, loadConfig } from '@hairpin/config'
import { describe, expect, it } from 'vitest'
import { detectAddresses } from '../../src/net/detect.ts'
import { cloudFrom, type Surroundings } from '../../src/net/surroundings.ts'

const loopback = ['127.0.0.1', '::1']

function around(facts: {
  addresses: string[]
  defaults?: Partial<Record<4 | 6, string>>
  mapped?: string
  cloud?: string
  metadata?: string
  named?: string
  reaches?: boolean
}): Surroundings {
  return {
    addresses: () => facts.addresses,
    defaultSource: async (family) => facts.defaults?.[family],
    mappedAddress: async () => facts.mapped,
    cloud: () => facts.cloud,
    metadata: async () => facts.metadata,
    resolve: async () => facts.named,
    reaches: async () => facts.reaches ?? false,
  }
}

const detect = (facts: Parameters<typeof around>[0], environment: Environment = {}) =>
  detectAddresses(loadConfig(environment), around(facts))
const advertised = async (...args: Parameters<typeof detect>) =>
  (await detect(...args)).relay.map(({ external, local, source }) => [external, local, source])

const server = { HAIRPIN_DEMO: '0' }
const laptop = { addresses: [...loopback, '192.168.1.20'], mapped: '93.184.216.34' }

describe('what the relay listens on', () => {
  it('is every address except IPv6 link-local ones', async () => {
    const addresses = [...loopback, '192.168.1.20', 'fe80::1', '2600::20']
    const found = await detect({ addresses })
    expect(found.listen).toEqual([...loopback, '192.168.1.20', '2600::20'])
    expect(found.own).toEqual(addresses)
  })

  it('can be narrowed, wildcards meaning a whole family', async () => {
    const addresses = [...loopback, '192.168.1.20']
    expect((await detect({ addresses }, { HAIRPIN_LISTEN_IPS: '127.0.0.1' })).listen).toEqual(['127.0.0.1'])
    expect((await detect({ addresses }, { HAIRPIN_LISTEN_IPS: '0.0.0.0' })).listen).toEqual([
      '127.0.0.1',
      '192.168.1.20',
    ])
  })

  it('cannot be an address of another host', async () => {
    await expect(detect({ addresses: loopback }, { HAIRPIN_LISTEN_IPS: '192.168.9.9' })).rejects.toThrow(
      'HAIRPIN_LISTEN_IPS',
    )
  })
})

describe('what the relay advertises', () => {
  it('is what the configuration says before all else', async () => {
    const facts = { addresses: [...loopback, '93.184.216.40', '10.0.0.5'], defaults: { 4: '10.0.0.5' } }
    expect(await advertised(facts, { HAIRPIN_EXTERNAL_IP: '93.184.216.34/10.0.0.5' })).toEqual([
      ['93.184.216.34', '10.0.0.5', 'configured'],
    ])
    expect(await advertised(facts, { HAIRPIN_EXTERNAL_IP: '93.184.216.40' })).toEqual([
      ['93.184.216.40', '93.184.216.40', 'configured'],
    ])
    expect(await advertised(facts, { HAIRPIN_EXTERNAL_IP: '93.184.216.34' })).toEqual([
      ['93.184.216.34', '10.0.0.5', 'configured'],
    ])
  })

  it('stops the start where the configuration names an address that is not here', async () => {
    const facts = { addresses: [...loopback, '10.0.0.5'] }
    await expect(detect(facts, { HAIRPIN_EXTERNAL_IP: '93.184.216.34/10.9.9.9' })).rejects.toThrow(
      'HAIRPIN_EXTERNAL_IP',
    )
    await expect(detect({ addresses: ['127.0.0.1'] }, { HAIRPIN_EXTERNAL_IP: '2600::1' })).rejects.toThrow(
      'HAIRPIN_EXTERNAL_IP',
    )
  })

  it('is a global address of an interface, the one of the default route first', async () => {
    const addresses = [...loopback, '93.184.216.40', '93.184.216.34', '10.0.0.5', '2600::20']
    expect(await advertised({ addresses, defaults: { 4: '93.184.216.34' }, mapped: '198.18.0.1' })).toEqual([
      ['93.184.216.34', '93.184.216.34', 'interface'],
      ['2600::20', '2600::20', 'interface'],
    ])
  })

  it('is the public address of a cloud machine behind 1:1 NAT, also in a demo', async () => {
    expect(await advertised({ ...laptop, cloud: 'AWS' })).toEqual([['93.184.216.34', '192.168.1.20', 'stun']])
  })

  it('is what the cloud tells, before STUN is asked, and what STUN sees where the cloud tells nothing of use', async () => {
    const told = { ...laptop, cloud: 'AWS', metadata: '93.184.216.99' }
    expect(await advertised(told)).toEqual([['93.184.216.99', '192.168.1.20', 'cloud']])
    expect(await advertised({ ...told, metadata: '10.0.0.1' })).toEqual([['93.184.216.34', '192.168.1.20', 'stun']])
    const onInterface = { ...told, addresses: [...loopback, '93.184.216.40'] }
    expect(await advertised(onInterface)).toEqual([['93.184.216.40', '93.184.216.40', 'interface']])
  })

  it('is the address that STUN sees when the host name has it, and that of the name alone with a warning', async () => {
    const named = { HAIRPIN_TURN_HOST: 'turn.example.com' }
    expect(await advertised({ ...laptop, named: '93.184.216.34' }, named)).toEqual([
      ['93.184.216.34', '192.168.1.20', 'stun'],
    ])
    const unseen = await detect({ addresses: laptop.addresses, named: '93.184.216.50' }, named)
    expect(unseen.relay[0]).toMatchObject({ external: '93.184.216.50', local: '192.168.1.20', source: 'dns' })
    expect(unseen.warnings[0]).toContain('nothing proves')
    expect(await advertised({ addresses: laptop.addresses, named: '10.0.0.9' }, named)).toEqual([
      ['192.168.1.20', '192.168.1.20', 'private'],
    ])
  })

  it('draws a loud warning when it is private on a host that has a public one', async () => {
    const facts = { addresses: [...loopback, '93.184.216.40', '10.0.0.5'] }
    const loud = 'PRIVATE ADDRESS ADVERTISED'
    expect((await detect(facts, { HAIRPIN_LISTEN_IPS: '10.0.0.5' })).warnings.join()).toContain(loud)
    expect((await detect(facts, { HAIRPIN_EXTERNAL_IP: '10.0.0.5' })).warnings.join()).toContain(loud)
    expect(
      (await detect({ addresses: ['10.0.0.5'] }, { ...server, HAIRPIN_EXTERNAL_IP: '10.0.0.5' })).warnings,
    ).toHaveLength(1)
    expect((await detect(facts)).warnings).toEqual([])
    expect((await detect({ addresses: [...loopback, '10.0.0.5', '2600::20'] })).warnings).toEqual([])
  })

  it('is the public address when packets to it arrive', async () => {
    expect(await advertised({ ...laptop, reaches: true })).toEqual([['93.184.216.34', '192.168.1.20', 'stun']])
  })

  it('is the LAN address on a laptop, with advice', async () => {
    const found = await detect(laptop)
    expect(found.relay[0]).toMatchObject({ external: '192.168.1.20', source: 'private' })
    expect(found.warnings[0]).toContain('HAIRPIN_EXTERNAL_IP=93.184.216.34/192.168.1.20')
  })

  it('is the public address on a server even unproven, with a warning', async () => {
    const found = await detect(laptop, server)
    expect(found.relay[0]).toMatchObject({ external: '93.184.216.34', local: '192.168.1.20', source: 'stun' })
    expect(found.warnings[0]).toContain('nothing proves')
  })

  it('is the LAN address without the internet', async () => {
    const facts = { addresses: [...loopback, '172.17.0.1', '192.168.1.20', 'fd00::2'], defaults: { 4: '192.168.1.20' } }
    expect(await advertised(facts)).toEqual([
      ['192.168.1.20', '192.168.1.20', 'private'],
      ['fd00::2', 'fd00::2', 'private'],
    ])
    expect((await detect(facts, server)).warnings[0]).toContain('no public address found')
  })

  it('asks no STUN server that is turned off', async () => {
    expect(await advertised({ ...laptop, cloud: 'AWS' }, { HAIRPIN_STUN_SERVER: 'off' })).toEqual([
      ['192.168.1.20', '192.168.1.20', 'private'],
    ])
  })

  it('is loopback when there is nothing else', async () => {
    expect(await advertised({ addresses: loopback })).toEqual([
      ['127.0.0.1', '127.0.0.1', 'loopback'],
      ['::1', '::1', 'loopback'],
    ])
  })

  it('leaves out a local IPv6 address beside a public IPv4 one', async () => {
    expect(await advertised({ addresses: [...loopback, '93.184.216.34', 'fd00::2'] })).toEqual([
      ['93.184.216.34', '93.184.216.34', 'interface'],
    ])
  })
})

describe('clouds with 1:1 NAT', () => {
  const firmware = (files: Record<string, string>) =>
    cloudFrom((name) => {
      const text = files[name]
      if (text === undefined) throw new Error('ENOENT')
      return text
    })

  it('are known by their firmware', () => {
    expect(firmware({ sys_vendor: 'Amazon EC2\n' })).toBe('AWS')
    expect(firmware({ sys_vendor: 'Google', product_name: 'Google Compute Engine\n' })).toBe('Google Cloud')
    expect(firmware({ chassis_asset_tag: '7783-7084-3265-9085-8269-3286-77\n' })).toBe('Azure')
    expect(firmware({ sys_vendor: 'LENOVO\n', product_name: '20XW' })).toBeUndefined()
    expect(firmware({})).toBeUndefined()
  })
})
