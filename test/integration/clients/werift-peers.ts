import { setTimeout as wait } from 'node:timers/promises'
import { RTCPeerConnection } from 'werift'
import type { IceServer } from '../../helpers/relay-process.ts'
import type { PeersReport, PeersTask } from './peers.ts'

/** Two werift peers talk over a data channel through the relay only. */
export async function weriftPeers({ iceServers, messages, size }: PeersTask): Promise<PeersReport> {
  const peers = [peer(iceServers), peer(iceServers)] as const
  const [caller, callee] = peers
  const wanted = Array.from({ length: messages }, (_, number) => `${number} `.repeat(size).slice(0, size))
  const returned: string[] = []
  callee.onDataChannel.subscribe((incoming) => incoming.onMessage.subscribe((message) => incoming.send(message)))
  const channel = caller.createDataChannel('echo')
  const done = new Promise<void>((resolve) => {
    channel.onMessage.subscribe((message) => {
      returned.push(message.toString())
      if (returned.length === messages) resolve()
    })
  })
  channel.stateChanged.subscribe((state) => {
    if (state === 'open') for (const message of wanted) channel.send(message)
  })
  try {
    await caller.setLocalDescription(await caller.createOffer())
    await callee.setRemoteDescription(caller.localDescription!)
    await callee.setLocalDescription(await callee.createAnswer())
    await caller.setRemoteDescription(callee.localDescription!)
    await Promise.race([done, wait(20_000, undefined, { ref: false })])
    const candidates = peers.flatMap(({ iceTransports }) =>
      iceTransports.flatMap(({ connection }) => connection.nominated?.localCandidate.type ?? []),
    )
    return {
      candidates: [...new Set(candidates)],
      echoed: returned.filter((message, at) => message === wanted[at]).length,
    }
  } finally {
    await Promise.all(peers.map((one) => one.close()))
  }
}

/** It knows one URL a server. */
function peer(iceServers: readonly IceServer[]): RTCPeerConnection {
  return new RTCPeerConnection({
    iceServers: iceServers.map(({ urls: [urls = ''], username, credential }) => ({ urls, username, credential })),
    iceTransportPolicy: 'relay',
    turnTlsOptions: { rejectUnauthorized: false },
  })
}
