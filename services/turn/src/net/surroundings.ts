/** What address detection asks of the host and the network. None of it throws; each answer is in time or undefined. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { PortRange } from '@hairpin/config'
import { familyOf } from '@hairpin/stun'
import { metadataAddress } from './cloud-metadata.ts'
import { mappedAddress } from './stun-query.ts'
import { bindUdp } from './udp-socket.ts'

export interface Surroundings {
  /** Addresses of all interfaces. */
  addresses(): string[]
  /** The address the kernel would use towards the internet. Sends nothing. */
  defaultSource(family: 4 | 6): Promise<string | undefined>
  /** Our address as a STUN server (`host:port`) sees it. */
  mappedAddress(server: string, local: string): Promise<string | undefined>
  /** The cloud, if this is a machine of one that gives public addresses by 1:1 NAT. */
  cloud(): string | undefined
  /** The public IPv4 address that this cloud's metadata service tells. */
  metadata(cloud: string): Promise<string | undefined>
  /** What DNS has for a host name. */
  resolve(host: string, family: 4 | 6): Promise<string | undefined>
  /** Whether unsolicited datagrams to this address arrive at ours: certain when true; false proves nothing. */
  reaches(external: string, local: string, ports: PortRange): Promise<boolean>
}

/** Milliseconds. */
const STUN_TIMEOUT = 800
const METADATA_TIMEOUT = 500
const DNS_TIMEOUT = 800
const REACH_TIMEOUT = 300
const REACH_INTERVAL = 80

export function hostSurroundings(): Surroundings {
  return {
    addresses: () =>
      Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address.split('%')[0]!)),
    defaultSource,
    mappedAddress: (server, local) => mappedAddress(server, local, STUN_TIMEOUT),
    cloud: () => cloudFrom((name) => readFileSync(`/sys/class/dmi/id/${name}`, 'utf8')),
    metadata: (cloud) => metadataAddress(cloud, METADATA_TIMEOUT),
    resolve,
    reaches,
  }
}

/** What the firmware of clouds with 1:1 NAT says of itself. Others put the public address on the interface. */
const clouds: readonly [file: string, pattern: RegExp, name: string][] = [
  ['sys_vendor', /^Amazon EC2/, 'AWS'],
  ['bios_version', /amazon/i, 'AWS'],
  ['product_name', /^Google Compute Engine/, 'Google Cloud'],
  ['chassis_asset_tag', /^7783-7084-3265-9085-8269-3286-77/, 'Azure'],
  ['chassis_asset_tag', /^OracleCloud\.com/, 'Oracle Cloud'],
  ['sys_vendor', /^Alibaba Cloud/, 'Alibaba Cloud'],
  ['sys_vendor', /^Tencent Cloud/, 'Tencent Cloud'],
  ['product_name', /^OpenStack/, 'OpenStack'],
]

/** @param read gives a file of /sys/class/dmi/id, or throws */
export function cloudFrom(read: (name: string) => string): string | undefined {
  return clouds.find(([file, pattern]) => {
    try {
      return pattern.test(read(file))
    } catch {
      return false
    }
  })?.[2]
}

/** Addresses set aside for documentation: routed by the default route, and never sent to. */
const elsewhere = { 4: '203.0.113.1', 6: '2001:db8::1' } as const

function defaultSource(family: 4 | 6): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
    const done = (address: string | undefined) => {
      socket.close()
      resolve(address)
    }
    socket.once('error', () => done(undefined))
    // Connecting a UDP socket sends nothing, but makes the kernel choose a route and with it a source address.
    socket.connect(9, elsewhere[family], () => done(socket.address().address))
  })
}

async function resolve(host: string, family: 4 | 6): Promise<string | undefined> {
  const { promise: tooLate, resolve: giveUp } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => giveUp(undefined), DNS_TIMEOUT)
  try {
    return (await Promise.race([lookup(host, { family }), tooLate]))?.address
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

function reaches(external: string, local: string, ports: PortRange): Promise<boolean> {
  const family = familyOf(local)
  const token = randomBytes(16)
  const sockets: { close(): void }[] = []
  return new Promise<boolean>((resolve) => {
    // The target has never sent anything, so no NAT has a mapping for it that would let the datagram in.
    const port = ports.min + Math.floor(Math.random() * (ports.max - ports.min + 1))
    const target = bindUdp({ address: local, port, family })
    sockets.push(target)
    target.on('error', () => {})
    target.on('message', (datagram) => {
      if (datagram.equals(token)) resolve(true)
    })
    const sender = bindUdp({ address: local, port: 0, family })
    sockets.push(sender)
    sender.on('error', () => {})
    const send = () => sender.send(token, port, external)
    send()
    const interval = setInterval(send, REACH_INTERVAL)
    sockets.push({ close: () => clearInterval(interval) })
    const timeout = setTimeout(() => resolve(false), REACH_TIMEOUT)
    sockets.push({ close: () => clearTimeout(timeout) })
  })
    .catch(() => false)
    .finally(() => {
      for (const socket of sockets) socket.close()
    })
}
