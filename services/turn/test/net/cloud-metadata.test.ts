import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { metadataAddress } from '../../src/net/cloud-metadata.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** A metadata service of loopback. */
async function service(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.push(
    () => server.close(),
    () => server.closeAllConnections(),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Answers by method and path; anything else is 404. */
const answers =
  (bodies: Record<string, (headers: Record<string, unknown>) => string | undefined>): RequestListener =>
  ({ method, url, headers }, response) => {
    const body = bodies[`${method} ${url}`]?.(headers)
    if (body === undefined) response.writeHead(404)
    response.end(body)
  }

it('is asked of AWS with a session token', async () => {
  const base = await service(
    answers({
      'PUT /latest/api/token': (headers) => (headers['x-aws-ec2-metadata-token-ttl-seconds'] ? 'the-token' : undefined),
      'GET /latest/meta-data/public-ipv4': (headers) =>
        headers['x-aws-ec2-metadata-token'] === 'the-token' ? '93.184.216.34\n' : undefined,
    }),
  )
  expect(await metadataAddress('AWS', 2000, base)).toBe('93.184.216.34')
})

it('is asked of Google Cloud with its header', async () => {
  const path = 'GET /computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip'
  const base = await service(
    answers({ [path]: (h) => (h['metadata-flavor'] === 'Google' ? '93.184.216.35' : undefined) }),
  )
  expect(await metadataAddress('Google Cloud', 2000, base)).toBe('93.184.216.35')
})

it('is asked of Azure as that of the interface, then as that of a load balancer', async () => {
  const path =
    'GET /metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress?api-version=2021-02-01&format=text'
  const balancer = JSON.stringify({ loadbalancer: { publicIpAddresses: [{ frontendIpAddress: '93.184.216.37' }] } })
  const bodies = { [path]: () => '93.184.216.36', 'GET /metadata/loadbalancer?api-version=2020-10-01': () => balancer }
  expect(await metadataAddress('Azure', 2000, await service(answers(bodies)))).toBe('93.184.216.36')
  expect(await metadataAddress('Azure', 2000, await service(answers({ ...bodies, [path]: () => '' })))).toBe(
    '93.184.216.37',
  )
})

it.each([
  ['has none', answers({ 'GET /latest/meta-data/public-ipv4': () => '' })],
  ['is no address', answers({ 'GET /latest/meta-data/public-ipv4': () => '<html>captive portal</html>' })],
  ['is somewhere else', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['never comes', () => {}],
] satisfies [string, RequestListener][])('is undefined when the answer %s', async (_what, answer) => {
  expect(await metadataAddress('OpenStack', 200, await service(answer))).toBeUndefined()
})

it('is undefined where nobody listens, and for clouds without such a service', async () => {
  expect(await metadataAddress('AWS', 200, 'http://127.0.0.1:1')).toBeUndefined()
  expect(await metadataAddress('Oracle Cloud', 200, 'http://127.0.0.1:1')).toBeUndefined()
})
