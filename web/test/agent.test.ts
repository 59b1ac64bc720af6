import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { AgentCall, AgentCallEnd, CallPermission } from '@hairpin/client'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endText, outcomeText, permissionText, stateText, timeText } from '../agent/src/format.ts'
import {
  carriedCall,
  forgetCall,
  remember,
  rememberCall,
  remembered,
  tokenOfAddress,
} from '../agent/src/state/admission.ts'
import { History } from '../agent/src/state/history.ts'

/** What a browser keeps by name. */
function store(): Storage {
  const entries = new Map<string, string>()
  return {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => void entries.set(key, value),
    removeItem: (key: string) => void entries.delete(key),
  } as Storage
}

beforeEach(() => {
  vi.stubGlobal('localStorage', store())
  vi.stubGlobal('sessionStorage', store())
})
afterEach(() => vi.unstubAllGlobals())

const call = (part: Partial<AgentCall>) => part as AgentCall
const ended = (part: Partial<AgentCall> = {}) =>
  call({ direction: 'user', caller: { number: '49170' }, end: { reason: 'customer-hung-up', by: 'remote' }, ...part })

describe('what the agents’ page says', () => {
  it('calls nobody connected before the sound is, and nothing answered before it was', () => {
    const text = (part: Partial<AgentCall>) => stateText(call({ media: 'connected', held: false, ...part }))
    expect([
      text({ state: 'calling' }),
      text({ state: 'ringing' }),
      text({ state: 'answered', media: 'connecting' }),
      text({ state: 'answered' }),
      text({ state: 'connected', held: true }),
      text({ state: 'connected', media: 'lost' }),
      text({ state: 'connected', media: 'none', restoring: true }),
    ]).toEqual([
      'Calling…',
      'The customer’s phone rings…',
      'Answered. Connecting the sound…',
      'Connected',
      'On hold: the customer hears silence',
      'The path was lost. Looking for another…',
      'This call is on another of your devices.',
    ])
  })

  it('says why a call is over, with the server’s sentence where there is one', () => {
    const text = (end: AgentCallEnd) => endText('Kim', end)
    expect([
      text({ reason: 'customer-hung-up', by: 'remote' }),
      text({ reason: 'declined', by: 'local' }),
      text({ reason: 'failed', by: 'remote', cause: 'no-permission', text: 'Ask first.' }),
      text({ reason: 'refused', by: 'remote', code: 'SIG_AGENT_BUSY', text: 'This agent is busy.' }),
    ]).toEqual(['Kim hung up.', 'You declined Kim’s call.', 'The call failed. Ask first.', 'This agent is busy.'])
    expect([
      outcomeText('customer-hung-up', false),
      outcomeText('customer-hung-up', true),
      outcomeText('connection-lost', true),
      outcomeText('failed', false),
    ]).toEqual(['Missed', 'Talked', 'Lost', 'Failed'])
  })

  it('says until when a customer may be called, and when again', () => {
    const now = new Date(2026, 2, 5, 12).getTime()
    const [later, tomorrow] = [now + 3_600_000, now + 86_400_000]
    const text = (part: Partial<CallPermission>) =>
      permissionText({ number: '49170', status: 'none', mayCall: false, ...part }, now)
    expect(text({})).toBe('The customer has not allowed calls.')
    expect(text({ event: 'requested' })).toMatch(/^Asked\./)
    expect(text({ event: 'rejected' })).toBe('The customer does not allow calls.')
    expect(text({ status: 'permanent', mayCall: true })).toBe('The customer allows calls.')
    expect(text({ status: 'temporary', mayCall: true, expiresAt: tomorrow })).toBe(
      `The customer allows calls until ${timeText(tomorrow, now)}.`,
    )
    expect(text({ status: 'permanent', mayCallAt: later })).toBe(
      `The customer allows calls. The next call is possible at ${timeText(later, now)}.`,
    )
    expect(timeText(tomorrow, now)).toContain('6')
    expect(timeText(later, now)).not.toContain(',')
  })
})

describe('what the agents’ page keeps', () => {
  it('is the last fifty calls, the newest first, until it is cleared', () => {
    const history = new History()
    for (let at = 1; at <= 60; at++) history.add(ended(), at)
    history.add(ended({ answeredAt: Date.now() - 5_000, direction: 'business' }), 61)
    const again = new History()
    expect(again.calls).toHaveLength(50)
    expect(again.calls[0]).toMatchObject({ at: 61, direction: 'business', number: '49170', reason: 'customer-hung-up' })
    expect(again.calls[0]?.duration).toBeGreaterThanOrEqual(5_000)
    expect(again.calls[1]).not.toHaveProperty('duration')
    again.clear()
    expect(new History().calls).toEqual([])
  })

  it.each(['{', '7', '[{"at":"x"},null]'])('is nothing where the store has %s', (text) => {
    localStorage.setItem('hairpin agent calls', text)
    expect(new History().calls).toEqual([])
  })

  it('is nothing where there is no store, and the calls of this page all the same', () => {
    vi.stubGlobal('localStorage', undefined)
    vi.stubGlobal('sessionStorage', undefined)
    const history = new History()
    history.add(ended(), 1)
    history.clear()
    remember({ name: 'ann', token: undefined, available: true })
    rememberCall('c1')
    expect([remembered(), carriedCall('c1')]).toEqual([undefined, false])
  })

  it('is which call this tab carries', () => {
    rememberCall('c1')
    expect([carriedCall('c1'), carriedCall('c2'), carriedCall(undefined)]).toEqual([true, false, false])
    forgetCall()
    expect(carriedCall('c1')).toBe(false)
  })

  it('is the token of the address, which does not show it any more', () => {
    const shown: string[] = []
    vi.stubGlobal('history', {
      replaceState: (_state: unknown, _title: string, address: string) => shown.push(address),
    })
    vi.stubGlobal('location', { hash: '#token=e.y.J', pathname: '/agent', search: '?x=1' })
    expect(tokenOfAddress()).toBe('e.y.J')
    vi.stubGlobal('location', { hash: '', pathname: '/agent', search: '' })
    expect(tokenOfAddress()).toBeUndefined()
    expect(shown).toEqual(['/agent?x=1'])
  })
})

it('has a script under 30 kB gzipped', async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../agent/src/main.tsx', import.meta.url))],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    write: false,
  })
  expect(gzipSync(outputFiles[0]?.contents ?? '').length).toBeLessThan(30_000)
})
