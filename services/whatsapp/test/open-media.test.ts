import { loadConfig, type WhatsappConfig } from '@hairpin/config'
import { expect, it } from 'vitest'
import { businessSdp } from '../../../packages/whatsapp-simulator/test/support/business.ts'
import type { MediaLeg } from '../src/media/leg.ts'
import { openMedia } from '../src/open-media.ts'

const four = {
  HAIRPIN_WHATSAPP_VERIFY_TOKEN: 'v',
  HAIRPIN_WHATSAPP_APP_SECRET: 's',
  HAIRPIN_WHATSAPP_ACCESS_TOKEN: 't',
  HAIRPIN_WHATSAPP_PHONE_NUMBER_ID: '1',
}

function open(env: Record<string, string>, faults: object[] = []) {
  const users: string[] = []
  const config = loadConfig({ ...four, ...env }) as ReturnType<typeof loadConfig> & { whatsapp: WhatsappConfig }
  const iceServers = {
    iceServersFor({ app, user }: { app: string; user: string }) {
      users.push(`${app}/${user}`)
      if (env.HAIRPIN_TURN_HOST === 'down') throw new Error('the relay is down')
      return { iceServers: [], ttl: 60, expiresAt: '2030-01-01T00:00:00.000Z' }
    },
  }
  const media = openMedia({ config, iceServers, logger: { warn: (fields) => faults.push(fields) } })
  return { users, media }
}

async function candidates(leg: MediaLeg): Promise<{ address: string; port: number }[]> {
  try {
    const sdp = await leg.answer(businessSdp('actpass'))
    return [...sdp.matchAll(/^a=candidate:\S+ 1 UDP \d+ (\S+) (\d+) typ (?:host|srflx)/gm)].map(
      ([, address = '', port]) => ({
        address,
        port: Number(port),
      }),
    )
  } finally {
    leg.close()
  }
}

const events = { onPacket() {}, onConnected() {}, onLost() {} }

it('media is at the address and ports that the operator names, and advertised by its public address', async () => {
  const { media, users } = open({
    HAIRPIN_WHATSAPP_MEDIA_IP: '203.0.113.7/127.0.0.1',
    HAIRPIN_WHATSAPP_MEDIA_PORTS: '41000-41599',
    HAIRPIN_WHATSAPP_APP: 'shop',
  })
  const newLeg = await media
  const found = [...(await candidates(newLeg(events, 'agent'))), ...(await candidates(newLeg(events, 'agent')))]
  expect(new Set(found.map(({ address }) => address))).toEqual(new Set(['203.0.113.7', '127.0.0.1']))
  expect(found.every(({ port }) => port >= 41000 && port <= 41599)).toBe(true)
  expect(users).toEqual(['shop/whatsapp-0', 'shop/whatsapp-1'])
})

it('an agent’s leg goes without the relay when that is down, which is told', async () => {
  const faults: object[] = []
  const { media } = open({ HAIRPIN_TURN_HOST: 'down', HAIRPIN_WHATSAPP_MEDIA_IP: '127.0.0.1' }, faults)
  expect((await candidates((await media)(events, 'agent'))).length).toBeGreaterThan(0)
  expect(faults).toMatchObject([{ code: 'WHATSAPP_NO_RELAY' }])
})

it('an address of another machine stops the start', async () => {
  const { media } = open({ HAIRPIN_WHATSAPP_MEDIA_IP: '203.0.113.7' })
  await expect(media).rejects.toThrow('HAIRPIN_WHATSAPP_MEDIA_IP: 203.0.113.7 is not an address of this machine')
})
