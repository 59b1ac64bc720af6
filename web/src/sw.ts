/** The demo's service worker: shows who calls while no page is open, and opens one when it is answered. It caches nothing. */

interface PushBody {
  readonly type: 'incoming-call' | 'missed-call'
  readonly callId: string
  readonly name: string
  readonly label?: string
  readonly target: string
}

/** What of a service worker's scope is used; TypeScript's own types of it exclude those of pages. */
interface Scope {
  readonly registration: ServiceWorkerRegistration
  readonly clients: {
    matchAll(options: object): Promise<readonly { readonly url: string; focus(): Promise<unknown> }[]>
    openWindow(url: string): Promise<unknown>
    claim(): Promise<void>
  }
  skipWaiting(): Promise<void>
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void
}

interface WorkerEvent {
  readonly data?: { json(): unknown }
  readonly notification?: Notification
  waitUntil(work: Promise<unknown>): void
}

const scope = globalThis as unknown as Scope

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()))
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()))

scope.addEventListener('push', (event) => {
  const body = event.data?.json() as PushBody | undefined
  if (body) event.waitUntil(show(body))
})

scope.addEventListener('notificationclick', (event) => {
  event.notification?.close()
  const url = (event.notification?.data as { url?: string } | undefined)?.url ?? '/'
  event.waitUntil(answer(url))
})

/** Of one call there is one notification: that it was missed takes the place of the ring. */
function show({ type, callId, name, label = name, target }: PushBody): Promise<void> {
  const rings = type === 'incoming-call'
  return scope.registration.showNotification(rings ? `${label} is calling` : `Missed call from ${label}`, {
    body: rings ? 'Open the page to answer.' : '',
    tag: callId,
    requireInteraction: rings,
    data: { url: rings ? `/?as=${encodeURIComponent(target)}` : '/' },
  })
}

async function answer(url: string): Promise<void> {
  const [open] = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
  await (open ? open.focus() : scope.clients.openWindow(url))
}
