import { isDeepStrictEqual } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { sleep, until } from './exec.ts'

export interface GuestOptions {
  readonly name: string
  /** Turns the page's "relay only" switch on. */
  readonly relayOnly?: boolean
  /** Hides the TURN servers from the page, as if there were no relay; STUN stays. */
  readonly withoutRelay?: boolean
  /** Leaves the page this one way to its relay. */
  readonly transport?: 'udp' | 'tcp' | 'tls'
}

/** One person on the demo page. */
export interface Guest {
  readonly name: string
  readonly page: Page
  /** What the page wrote to its console and its uncaught errors. */
  readonly log: readonly string[]
}

/** What the browser itself says about the running call. */
export interface CallFacts {
  /** Candidate types of the selected pair, and how this side reaches its relay. */
  readonly pair: { readonly local: string; readonly remote: string; readonly relayProtocol?: string }
  readonly framesDecoded: number
  /** Over all candidate pairs: application bytes without STUN, TURN and IP headers. */
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** What ICE did on a page so far, over all its peer connections. */
export interface IceHistory {
  /** Connection states in order. */
  readonly states: string[]
  /** Types of the local candidates, as `host`, `srflx`, `relay`. */
  readonly candidates: string[]
}

declare global {
  interface Window {
    readonly hairpinTest: IceHistory
  }
}

/** Opens the page and joins. */
export async function join(browser: Browser, url: string, options: GuestOptions): Promise<Guest> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const page = await context.newPage()
  const log: string[] = []
  page.on('console', (message) => log.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => log.push(`uncaught: ${error.message}`))
  const allowed = options.withoutRelay ? '^stun:' : options.transport ? wayTo[options.transport] : ''
  await page.addInitScript(watchPeerConnections, allowed)
  await page.goto(url)
  await page.getByTestId('name-input').fill(options.name)
  await page.getByTestId('join').click()
  const relayOnly = page.getByTestId('relay-only')
  await relayOnly.waitFor()
  if (options.relayOnly) await relayOnly.click()
  return { name: options.name, page, log }
}

/** URLs of each transport, as a regular expression. */
const wayTo = { udp: '^turn:.*transport=udp', tcp: '^turn:.*transport=tcp', tls: '^turns:' } as const

/**
 * Runs in the page before its own scripts: notes what ICE does on every peer connection, and hides servers whose URLs are
 * not allowed.
 * @param allowed regular expression; empty: all are
 */
function watchPeerConnections(allowed: string): void {
  const history: IceHistory = { states: [], candidates: [] }
  Object.defineProperty(window, 'hairpinTest', { value: history })
  const restricted = (configuration?: RTCConfiguration): RTCConfiguration | undefined =>
    allowed !== '' && configuration?.iceServers
      ? {
          ...configuration,
          iceServers: configuration.iceServers.flatMap((server) => {
            const urls = [server.urls].flat().filter((url) => new RegExp(allowed).test(url))
            return urls.length > 0 ? [{ ...server, urls }] : []
          }),
        }
      : configuration
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(restricted(configuration))
      this.addEventListener('iceconnectionstatechange', () => history.states.push(this.iceConnectionState))
      this.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate?.type) history.candidates.push(candidate.type)
      })
    }

    override setConfiguration(configuration?: RTCConfiguration): void {
      super.setConfiguration(restricted(configuration))
    }
  }
}

/** `caller` calls, `callee` accepts. Returns when both have done so; the media may still be on its way. */
export async function call(caller: Guest, callee: Guest): Promise<void> {
  await caller.page.getByTestId(`call-${callee.name}`).click()
  await callee.page.getByTestId('accept').click()
}

/** Waits until frames of the other side are decoded here, `frames` of them at least. */
export function talking(guest: Guest, frames = 30): Promise<CallFacts> {
  return heard(guest, `sees ${frames} frames`, (facts) => facts.framesDecoded >= frames)
}

/**
 * Waits until frames are decoded here and `pair` carries the call. Not always the first pair to do so: ICE begins with
 * whichever was answered first and moves to a better one, and a peer is `prflx` until its candidate has been signaled.
 */
export function carriedBy(guest: Guest, pair: CallFacts['pair']): Promise<CallFacts> {
  const wanted = JSON.stringify(pair)
  return heard(
    guest,
    `is carried by ${wanted}`,
    (facts) => facts.framesDecoded > 0 && isDeepStrictEqual(facts.pair, pair),
  )
}

async function heard(guest: Guest, what: string, enough: (facts: CallFacts) => boolean): Promise<CallFacts> {
  let last: CallFacts | undefined
  try {
    return await until(`${guest.name} ${what}`, async () => {
      last = await callFacts(guest)
      return last && enough(last) ? last : undefined
    })
  } catch (error) {
    const ice = await iceHistory(guest).catch(() => undefined)
    const pairs = await candidatePairs(guest).catch(() => undefined)
    const seen = JSON.stringify({ last, ice, pairs })
    throw new Error(`${(error as Error).message}; seen: ${seen}; console:\n${guest.log.join('\n')}`, { cause: error })
  }
}

export function iceHistory(guest: Guest): Promise<IceHistory> {
  return guest.page.evaluate(() => window.hairpinTest)
}

/** Undefined while no candidate pair is selected. */
export async function callFacts(guest: Guest): Promise<CallFacts | undefined> {
  const stats = await statistics(guest)
  const byId = new Map<string, Stats>(stats.map((entry: Stats) => [entry.id, entry]))
  const transport = stats.find((entry: Stats) => entry.type === 'transport' && entry.selectedCandidatePairId)
  const pair = byId.get(transport?.selectedCandidatePairId)
  const local = byId.get(pair?.localCandidateId)
  const remote = byId.get(pair?.remoteCandidateId)
  if (!local || !remote) return undefined
  const sum = (type: string, field: string) =>
    stats
      .filter((entry: Stats) => entry.type === type)
      .reduce((total: number, entry: Stats) => total + (entry[field] ?? 0), 0)
  return {
    pair: {
      local: local.candidateType,
      remote: remote.candidateType,
      ...(local.relayProtocol ? { relayProtocol: local.relayProtocol } : {}),
    },
    framesDecoded: sum('inbound-rtp', 'framesDecoded'),
    bytesSent: sum('candidate-pair', 'bytesSent'),
    bytesReceived: sum('candidate-pair', 'bytesReceived'),
  }
}

function statistics(guest: Guest): Promise<Stats[]> {
  return guest.page.evaluate(async () => {
    const report = await window.hairpin.peerConnection?.getStats()
    return report ? [...report.values()] : []
  })
}

/** One line for each candidate pair: what was tried, and what came of it. */
async function candidatePairs(guest: Guest): Promise<string[]> {
  const stats = await statistics(guest)
  const candidate = (id: string) => {
    const found = stats.find((entry) => entry.id === id)
    return `${found?.candidateType} ${found?.relayProtocol ?? found?.protocol} ${found?.address}:${found?.port}`
  }
  return stats
    .filter((entry) => entry.type === 'candidate-pair')
    .map(
      (pair) =>
        `${candidate(pair.localCandidateId)} to ${candidate(pair.remoteCandidateId)}: ${pair.state}, ` +
        `${pair.requestsSent} checks sent, ${pair.responsesReceived} answered, ${pair.requestsReceived} received`,
    )
}

// biome-ignore lint/suspicious/noExplicitAny: an entry of a statistics report has the fields of its type
type Stats = any

/** Stops sending audio and video while the call stays up, so that counters on both ends come to rest. */
export async function fallSilent(...guests: readonly Guest[]): Promise<void> {
  for (const guest of guests)
    await guest.page.evaluate(async () => {
      for (const sender of window.hairpin.peerConnection?.getSenders() ?? []) await sender.replaceTrack(null)
    })
  // What is on its way arrives; after that only RTCP and ICE checks go, some hundred bytes a second.
  await sleep(1000)
}

export async function hangUp(guest: Guest): Promise<void> {
  await guest.page.getByTestId('hangup').click()
}

export async function leave(...guests: readonly Guest[]): Promise<void> {
  // Who is in a call stays in it for a while when the page goes, and would keep the name.
  for (const { page } of guests) await page.evaluate(() => window.hairpin?.leave()).catch(() => undefined)
  await Promise.all(guests.map((guest) => guest.page.context().close()))
}
