import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadConfig, loadSecrets } from '@hairpin/config'
import { chosenPrice, LEDGER_FILE } from '@hairpin/turn/offline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLedgerDatabase } from '../../../services/turn/src/ledger/schema.ts'
import { LedgerWriter } from '../../../services/turn/src/ledger/writer.ts'
import { counters, snapshot } from '../../../services/turn/test/ledger/helpers.ts'
import { apps } from '../src/apps.ts'
import { mint } from '../src/mint.ts'
import { usage } from '../src/usage.ts'

let folder: string
let environment: NodeJS.ProcessEnv
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hairpin-cli-'))
  environment = { HAIRPIN_DATA_DIR: folder, HAIRPIN_EXTERNAL_IP: '192.0.2.9', HAIRPIN_PRICES: '0.5 EUR/GB' }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('hairpin mint', () => {
  const blockOf = (text: string) => JSON.parse(text.slice(text.indexOf('{'))).iceServers

  it('prints a credential of the secret and where to use it', async () => {
    const args = ['--user', 'alice', '--app', 'shop', '--ttl', '3600', '--secret', 'a-shared-secret-of-the-test']
    const text = await mint([...args, '--host', 'turn.example.com'], environment)
    const [stun, turn] = blockOf(text)
    expect(stun.urls).toEqual(['stun:turn.example.com:3478'])
    const urls = ['turn:turn.example.com:3478?transport=udp', 'turn:turn.example.com:3478?transport=tcp']
    expect(turn.urls).toEqual(urls)
    expect(turn.username).toMatch(/^\d+:shop\/alice$/)
    expect(Math.abs(Number.parseInt(turn.username, 10) - Date.now() / 1000 - 3600)).toBeLessThan(60)
    const password = createHmac('sha1', 'a-shared-secret-of-the-test').update(turn.username).digest('base64')
    expect(turn.credential).toBe(password)
    expect(text).toContain(`username:   ${turn.username}\ncredential: ${password}\n`)
  })

  it("takes the relay's own secret and address", async () => {
    const { turnSecrets } = loadSecrets(loadConfig(environment))
    const [, turn] = blockOf(await mint([], environment))
    expect(turn.urls[0]).toBe('turn:192.0.2.9:3478?transport=udp')
    expect(turn.credential).toBe(createHmac('sha1', turnSecrets[0]!).update(turn.username).digest('base64'))
  })

  it.each([
    [['--ttl', 'soon'], /--ttl/],
    [['--app', 'a/b'], /--app/],
    [['--nonsense'], /--nonsense/],
    [['alice'], /alice/],
    [[], /no secrets in .*HAIRPIN_DATA_DIR/],
  ])('says what is wrong with %j', async (args, message) => {
    await expect(mint(args, environment)).rejects.toThrow(message)
  })
})

describe('hairpin apps', () => {
  const run = (...args: string[]) => apps(args, environment)
  const shown = (text: string, what: string) => new RegExp(`${what}.*: +([\\w-]+)$`, 'm').exec(text)?.[1]

  it('adds an app whose secret mints offline, and lists it without a secret', async () => {
    const text = run(
      'add',
      'shop',
      '--name',
      'The shop',
      '--ttl-default',
      '600',
      '--origins',
      'https://shop.example.com',
    )
    const secret = shown(text, 'TURN secret')!
    expect(secret).toHaveLength(43)
    expect(shown(text, 'API key')).toMatch(/^hk_/)

    const minted = JSON.parse((await mint(['--app', 'shop'], environment)).split('\n\n')[1]!).iceServers[1]
    expect(minted.credential).toBe(createHmac('sha1', secret).update(minted.username).digest('base64'))
    expect(Math.abs(Number.parseInt(minted.username, 10) - Date.now() / 1000 - 600)).toBeLessThan(60)

    const listed = run('list') + run('show', 'shop') + run('show', 'shop', '--json')
    expect(listed).toContain('https://shop.example.com')
    expect(listed).not.toContain(secret)
    expect(listed).not.toContain(shown(text, 'API key'))
  })

  it('adds and revokes keys, rotates and removes secrets, changes settings, removes apps', () => {
    run('add', 'shop', '--allocations', '10')
    const [, key] = /API key (\w+), /.exec(run('key', 'add', 'shop'))!
    expect(run('show', 'shop')).toContain(`API key ${key} …`)
    run('key', 'revoke', 'shop', key!)
    expect(run('show', 'shop')).not.toContain(`API key ${key} …`)

    expect(shown(run('secret', 'rotate', 'shop', '--keep', '60'), 'TURN secret')).toHaveLength(43)
    expect(run('show', 'shop')).toMatch(/TURN secret 2, .*, mints\nTURN secret 1, .*, counts until /)
    run('secret', 'remove', 'shop', '1')
    expect(run('show', 'shop')).not.toContain('TURN secret 1')

    run('set', 'shop', '--max-bps', '1000', '--budgets', 'monthly 50 EUR: 80% webhook; daily 1 GB: 100% close')
    const settings = JSON.parse(run('show', 'shop', '--json'))
    expect(settings.quotas).toEqual({ allocations: 10, bytesPerSecond: 1000 })
    expect(settings.budgets).toEqual([
      {
        period: 'monthly',
        limit: { money: '50', currency: 'EUR' },
        marks: [{ percent: 80, actions: [{ type: 'webhook' }] }],
      },
      { period: 'daily', limit: { bytes: 1e9 }, marks: [{ percent: 100, actions: [{ type: 'close' }] }] },
    ])
    expect(shown(run('webhook-secret', 'shop'), 'webhook secret')).toHaveLength(43)
    run('remove', 'shop')
    expect(run('list')).toContain('No apps')
  })

  it('takes the secret of a coturn that it replaces', async () => {
    run('add', 'shop', '--secret', 'static-auth-secret-of-a-coturn')
    const { username, credential } = JSON.parse((await mint(['--app', 'shop'], environment)).split('\n\n')[1]!)
      .iceServers[1]
    const password = createHmac('sha1', 'static-auth-secret-of-a-coturn').update(username).digest('base64')
    expect(credential).toBe(password)
  })

  it.each([
    [['frob'], /"apps frob"/],
    [['add'], /needs the name/],
    [['show', 'shop'], /APP_UNKNOWN/],
    [['add', 'a/b'], /APP_ID_INVALID/],
    [['add', 'shop', 'game'], /"game" is one argument too many/],
    [['add', 'shop', '--max-bps', 'much'], /--max-bps/],
    [['add', 'shop', '--origins', 'shop'], /origins: "shop"/],
    [['add', 'shop', '--budgets', 'yearly 5 EUR: 1% close'], /^--budgets: "yearly/],
    [['secret', 'rotate', 'shop', '--keep', 'long'], /--keep/],
  ])('says what is wrong with %j', (args, message) => {
    expect(() => run(...args)).toThrow(message)
    expect(run('list')).toContain('No apps')
  })

  it('makes no folder', () => {
    const elsewhere = { ...environment, HAIRPIN_DATA_DIR: join(folder, 'none') }
    expect(() => apps(['list'], elsewhere)).toThrow(/there is no folder .*HAIRPIN_DATA_DIR/)
  })
})

describe('hairpin usage', () => {
  const at = Date.UTC(2026, 2, 10, 12)

  beforeEach(() => {
    const log = { info: () => {}, warn: () => {} }
    const open = () => openLedgerDatabase(join(folder, LEDGER_FILE))
    const writer = new LedgerWriter({ open, price: chosenPrice('0.5 EUR/GB').price, log })
    writer.flush(at)
    const bytes = counters({ toClientPayload: 2e9, toClientFramed: 2e9 })
    const call = { openedAt: at, closedAt: at + 1_800_000, counters: bytes }
    const allocations = [
      snapshot({ ...call, allocationId: 1, app: 'shop', user: 'ann' }),
      snapshot({ ...call, allocationId: 2, app: 'shop', user: '\u001b[31mbob' }),
      snapshot({ ...call, allocationId: 3, app: 'game', user: 'cid' }),
    ]
    writer.ingest({ epoch: 'e', relay: 'r', at, allocations })
    writer.close(at)
  })

  it('prints a month by app with its cost', () => {
    expect(usage(['--month', '2026-03'], environment)).toBe(
      [
        '2026-03, price "own"',
        '',
        'app    calls  hours  GB relayed  GB billed       EUR',
        'shop       2   1.00    4.000000   4.000000  2.000000',
        'game       1   0.50    2.000000   2.000000  1.000000',
        '----------------------------------------------------',
        'total      3   1.50    6.000000   6.000000  3.000000',
      ].join('\n'),
    )
  })

  it('groups by user, without what a terminal would act on, and by day', () => {
    const text = usage(['--month', '--by', 'user', '--app', 'shop'], environment, at)
    expect(text).toMatch(/^ann /m)
    expect(text).toMatch(/^\?\[31mbob /m)
    expect(text).not.toContain('cid')
    expect(usage(['--month', '--by', 'day'], environment, at)).toMatch(/^2026-03-10 +3 /m)
    expect(JSON.parse(usage(['--json'], environment, at)).total.calls).toBe(3)
  })

  it('says what is wrong', () => {
    expect(() => usage(['--month', 'March'], environment)).toThrow(/--month/)
    expect(() => usage(['--by', 'call'], environment)).toThrow(/--by/)
    expect(() => usage([], { ...environment, HAIRPIN_PRICES: 'nobody' })).toThrow(/^HAIRPIN_PRICES/)
    expect(() => usage([], { ...environment, HAIRPIN_DATA_DIR: join(folder, 'none') })).toThrow(/no ledger/)
  })
})

it('ends with 2 and a line when it is called wrongly', async () => {
  const main = join(import.meta.dirname, '..', 'src', 'main.ts')
  const failed = promisify(execFile)(process.execPath, [main, 'mind'])
  await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/^hairpin: .*"mind"/) })
})
